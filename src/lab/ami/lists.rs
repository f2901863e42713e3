//! What the switch says about itself and about what lives in it.

use super::actions::{Facts, Next, Request, error, header, success};
use super::message::Message;
use super::switch::Switch;

/// Where the answer's items carry the ActionID.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IdStands {
    First,
    Last,
}

pub(super) fn core_settings(switch: &Switch, facts: &Facts, request: &Request<'_>) -> Next {
    success(switch, request, |m| {
        m.with("AMIversion", facts.ami_version)
            .with("AsteriskVersion", facts.asterisk_version)
            .with("SystemName", "")
            .with("CoreMaxCalls", "0")
            .with("CoreMaxLoadAvg", "0.000000")
            .with("CoreRunUser", "")
            .with("CoreRunGroup", "")
            .with("CoreMaxFilehandles", "0")
            .with("CoreRealTimeEnabled", "No")
            .with("CoreCDRenabled", "Yes")
            .with("CoreHTTPenabled", "No")
            .with("SoundsSearchCustomDir", "No")
    })
}

pub(super) fn core_status(switch: &Switch, request: &Request<'_>) -> Next {
    let boot = jiff::Timestamp::from_second(switch.boot_time_s()).unwrap_or_default();
    let (date, time) = (
        boot.strftime("%Y-%m-%d").to_string(),
        boot.strftime("%H:%M:%S").to_string(),
    );
    let (living, processed) = switch.living.counts();
    success(switch, request, |m| {
        m.with("CoreStartupDate", &date)
            .with("CoreStartupTime", &time)
            .with("CoreReloadDate", &date)
            .with("CoreReloadTime", &time)
            .with("CoreCurrentCalls", living.to_string())
            .with("CoreProcessedCalls", processed.to_string())
    })
}

/// An answer in parts: the announcement, the items, the end.
pub(super) struct List {
    announcement: &'static str,
    end: &'static str,
    items: Vec<Message>,
    stands: IdStands,
    last: Message,
}

impl List {
    pub(super) fn new(announcement: &'static str, end: &'static str, items: Vec<Message>) -> Self {
        Self {
            announcement,
            end,
            items,
            stands: IdStands::First,
            last: Message::default(),
        }
    }

    /// Puts the ActionID at the end of each item instead of the beginning.
    pub(super) fn ids_last(self) -> Self {
        Self {
            stands: IdStands::Last,
            ..self
        }
    }

    pub(super) fn send(self, switch: &Switch, request: &Request<'_>) {
        success(switch, request, |m| {
            m.with("EventList", "start")
                .with("Message", self.announcement)
        });
        for item in &self.items {
            let item = match self.stands {
                IdStands::Last => item.clone().with_action_id(request.action),
                IdStands::First => {
                    let head = Message::event(item.event_name()).with_action_id(request.action);
                    let rest = item.fields().iter().skip(1);
                    rest.fold(head, |m, (name, value)| m.with(name, value))
                }
            };
            switch.answer(request.session, &item);
        }
        let end = Message::event(self.end)
            .with_action_id(request.action)
            .with("EventList", "Complete")
            .with("ListItems", self.items.len().to_string());
        let fields = self.last.fields().iter();
        let end = fields.fold(end, |m, (name, value)| m.with(name, value));
        switch.answer(request.session, &end);
    }
}

pub(super) fn status(switch: &Switch, request: &Request<'_>) -> Next {
    let channel = header(request, "Channel");
    let only = (!channel.is_empty()).then_some(channel);
    if only.is_some_and(|name| !switch.living.lives(name)) {
        return error(switch, request, "No such channel");
    }
    let items = switch.living.status(only, request.now);
    let count = items.len().to_string();
    List {
        last: Message::default().with("Items", count),
        ..List::new("Channel status will follow", "StatusComplete", items)
    }
    .ids_last()
    .send(switch, request);
    if only.is_none() {
        Next::Attached
    } else {
        Next::ReadOn
    }
}

pub(super) fn core_show_channels(switch: &Switch, request: &Request<'_>) -> Next {
    let items = switch.living.core_show_channels(request.now);
    List::new("Channels will follow", "CoreShowChannelsComplete", items).send(switch, request);
    Next::Attached
}

pub(super) fn bridge_list(switch: &Switch, request: &Request<'_>) -> Next {
    let items = switch.living.bridge_list();
    List::new("Bridge listing will follow", "BridgeListComplete", items).send(switch, request);
    Next::ReadOn
}

pub(super) fn bridge_info(switch: &Switch, request: &Request<'_>) -> Next {
    let id = header(request, "BridgeUniqueid");
    if id.is_empty() {
        return error(switch, request, "BridgeUniqueid must be provided");
    }
    let Some((items, last)) = switch.living.bridge_info(id) else {
        return error(
            switch,
            request,
            "Bridge specified by BridgeUniqueid not found",
        );
    };
    List {
        last,
        ..List::new(
            "Bridge channel listing will follow",
            "BridgeInfoComplete",
            items,
        )
    }
    .send(switch, request);
    Next::ReadOn
}
