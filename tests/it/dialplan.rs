//! What the dialplan files under `config/asterisk` must hold, whatever is edited in them.

use std::fs;
use std::path::Path;

fn file(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/asterisk");
    fs::read_to_string(folder.join(name)).expect("a shipped file")
}

/// Returns the lines that Asterisk reads.
fn lines(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with(';'))
        .collect()
}

#[test]
fn mikopbx_has_the_subroutine_word_for_word() {
    let subroutine = file("trunkline.conf");
    let own = file("mikopbx.conf");
    let begin = own.find("[trunkline-ask]").expect("it is there");
    assert_eq!(lines(&own[begin..]), lines(&subroutine));
}

#[test]
fn nothing_is_dialled_but_the_answer_that_the_subroutine_has_checked() {
    for name in ["plain.conf", "freepbx.conf", "mikopbx.conf"] {
        let text = file(name);
        let asks = text.find("Gosub(trunkline-ask,s,1(acme,office,");
        let asks = asks.unwrap_or_else(|| panic!("{name} does not ask"));
        let uses = text.find("${TRUNKLINE_EXTEN}").expect("it uses the answer");
        assert!(asks < uses, "{name}");
        for hostile in ["TRUNKLINE_CLIENT", "TRUNKLINE_MANAGER"] {
            let hook = text.split("; From here on").next().expect("a beginning");
            assert!(!hook.contains(hostile), "{name} uses {hostile}");
        }
    }
    let subroutine = file("trunkline.conf");
    // The check counts digits: a name that is an expression is never inside of one.
    let check = "GotoIf($[${LEN(${FILTER(0-9,${TRUNKLINE_EXTEN})})} = ${LEN(${TRUNKLINE_EXTEN})}]";
    assert_eq!(subroutine.matches(check).count(), 1);
    assert_eq!(subroutine.matches("AGI(").count(), 1);
}

#[test]
fn the_question_has_a_deadline_and_the_call_gets_its_own_back() {
    let subroutine = file("trunkline.conf");
    let lines = lines(&subroutine);
    let at = |part: &str| {
        let found = lines.iter().position(|line| line.contains(part));
        found.unwrap_or_else(|| panic!("{part} is missing"))
    };
    let asks = at("AGI(agi://");
    // TIMEOUT(absolute) alone does not end a question to a server that hangs.
    assert!(at("LOCAL(AGIEXITONHANGUP)=yes") < asks);
    assert!(at("TIMEOUT(absolute)=1.2") < asks);
    let back = "Set(TIMEOUT(absolute)=${TRUNKLINE_LIMIT})";
    let given_back = lines.iter().filter(|line| line.contains(back)).count();
    assert_eq!(given_back, 2, "after an answer, and at the deadline");
    assert!(at("exten => T,1,") > asks);
}
