// The workplace inside of amoCRM: an entry in the corner of every page, and calls by a click on a
// number. Written by `trunkline widget amocrm`; the two addresses below are the account's own.
define(["jquery"], function ($) {
  "use strict";

  var PLACE = "@PLACE@";
  var CALLS = "@CALLS@";
  var ID = "trunkline-workplace";

  return function () {
    var self = this;

    function text(key) {
      var langs = self.langs || {};
      return (langs.workplace || {})[key] || key;
    }

    // Texts are set as texts: nothing that comes from elsewhere is read as a page.
    function box() {
      var found = $("#" + ID);
      if (found.length) {
        return found;
      }
      var made = $("<div>").attr("id", ID).css({ position: "fixed", right: "16px", bottom: "16px", zIndex: 1000, textAlign: "right" });
      var panel = $("<div>").hide().css({ width: "420px", height: "640px", maxWidth: "90vw", maxHeight: "80vh", marginBottom: "8px", background: "#fff", boxShadow: "0 2px 16px rgba(0,0,0,.35)" });
      var note = $("<div>").attr("role", "status").css({ marginBottom: "8px", padding: "0 8px", background: "#fff" });
      var entry = $("<button>").attr({ type: "button", "aria-expanded": "false" }).text(text("title")).css({ padding: "8px 16px", cursor: "pointer" });
      entry.on("click", function () {
        // The page is opened when it is wanted first, and goes on behind a closed panel.
        if (!panel.children().length) {
          panel.append($("<iframe>").attr({ src: PLACE, title: text("title"), allow: "microphone; autoplay", referrerpolicy: "no-referrer" }).css({ width: "100%", height: "100%", border: 0 }));
        }
        panel.toggle();
        entry.attr("aria-expanded", String(panel.is(":visible")));
      });
      return made.append(note, panel, entry).appendTo(document.body);
    }

    function tell(words) {
      var note = box().children("[role=status]").text(words);
      setTimeout(function () {
        if (note.text() === words) {
          note.text("");
        }
      }, 8000);
    }

    function call(data) {
      var phone = String((data && data.value) || "");
      if (!phone) {
        return;
      }
      tell(text("calling"));
      // amoCRM signs who clicks: the key of the signature never leaves the box.
      self.$authorizedAjax({
        url: CALLS,
        method: "POST",
        contentType: "application/json",
        data: JSON.stringify({ phone: phone }),
      }).done(function () {
        tell(text("ringing"));
      }).fail(function (answer) {
        var problem = (answer && answer.responseJSON) || {};
        tell(text("failed") + (problem.title ? " " + problem.title : ""));
      });
    }

    this.callbacks = {
      render: function () {
        return true;
      },
      init: function () {
        if (self.system().area !== "settings") {
          box();
        }
        return true;
      },
      bind_actions: function () {
        self.add_action("phone", call);
        return true;
      },
      settings: function () {
        return true;
      },
      onSave: function () {
        return true;
      },
      destroy: function () {
        $("#" + ID).remove();
      },
    };
    return this;
  };
});
