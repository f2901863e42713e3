//! A number that somebody clicked on in the portal is called by the real daemon, and the call ends the
//! entry that the portal made of the click.

use trunkline::lab::bitrix24::{CallView, Click, Mode, SeedCard};

use super::bitrix24::Branch;
use super::daemon::Daemon;
use super::wait::{until, when};

const CLIENT: &str = "+79161112233";
const ORIGINATE: &str = "[sources.settings.originate]\ncontext = \"from-internal\"\n";

/// A portal and a daemon whose office calls who is clicked on; `more` belongs to the settings of clicks.
async fn clicking_branch(more: &str) -> Branch {
    let branch = Branch::open(Mode::Simple).await;
    branch.home.edit_tenant(
        "linger_ms = 200\n",
        &format!("linger_ms = 200\n\n{ORIGINATE}"),
    );
    let clicks = format!("\n[integrations.settings.click_to_call]\nsource = \"office\"\n{more}");
    let tenant = branch.home.path("etc/tenants.d/acme.toml");
    let text = std::fs::read_to_string(&tenant).expect("it is there");
    std::fs::write(&tenant, text + &clicks).expect("written");
    branch
        .portal
        .add_contact(&SeedCard::new("Анна", CLIENT, 12));
    branch
}

fn click_of(user: u64) -> Click {
    Click {
        user,
        phone: "8 (916) 111-22-33".to_owned(),
        line: String::new(),
        card: None,
    }
}

/// Clicks as soon as the portal tells us of clicks; returns the id of the call that it registered.
async fn click(branch: &Branch, click: &Click) -> String {
    until("the portal tells of clicks", async || {
        branch.portal.click(click).ok_or_else(|| branch.home.log())
    })
    .await
}

/// Waits until the portal's call of this id is over.
async fn finished(branch: &Branch, id: &str) -> CallView {
    until("the call is over in the portal", async || {
        let oracle = branch.oracle();
        let found = oracle.calls.iter().find(|call| call.call_id == id).cloned();
        found.ok_or_else(|| {
            format!(
                "{:?} {:?}\n{}",
                oracle.calls,
                oracle.live_calls,
                branch.home.log()
            )
        })
    })
    .await
}

/// Waits until the journal says this of clicks, which may be after the portal's entry is ended; returns
/// all that it says of them.
async fn told(daemon: &Daemon, words: &[&str]) -> Vec<String> {
    until("the journal says it", async || {
        let notes = daemon.notes().await.into_iter();
        let told: Vec<String> = notes
            .filter(|note| note.0 == "click_to_call")
            .map(|note| note.1)
            .collect();
        let says = |words: &&str| told.iter().any(|text| text.contains(*words));
        when(words.iter().all(says), format!("{told:?}"))?;
        Ok(told)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_click_in_the_portal_becomes_a_call_that_ends_the_portals_own_entry() {
    let branch = clicking_branch("").await;
    let daemon = branch.start().await;
    let id = click(&branch, &click_of(12)).await;
    let call = finished(&branch, &id).await;
    assert_eq!(
        (call.call_type, call.user, call.external_id.as_str()),
        (1, 12, "")
    );
    assert!(call.duration > 0 && call.code == "200", "{call:?}");
    daemon.settled(1).await;
    let oracle = branch.oracle();
    assert_eq!(
        (oracle.calls.len(), oracle.live_calls.len()),
        (1, 0),
        "{:?}",
        oracle.calls
    );
    // Somebody else in the portal is nobody of ours: the entry is ended, nothing is dialled.
    let stranger = click(&branch, &click_of(15)).await;
    let ended = finished(&branch, &stranger).await;
    assert_eq!((ended.duration, ended.code.as_str()), (0, "503"));
    // And so is a number that may not be called.
    let dear = Click {
        phone: "+881612345678".to_owned(),
        ..click_of(12)
    };
    let dear = click(&branch, &dear).await;
    assert_eq!(finished(&branch, &dear).await.duration, 0);
    daemon.settled(1).await;
    let words = [
        "a call of anna was placed",
        "user 15 of the CRM is no employee",
        "may not be called",
    ];
    let told = told(&daemon, &words).await;
    let count = |words: &str| told.iter().filter(|text| text.contains(words)).count();
    assert_eq!(words.map(count), [1; 3], "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_click_that_waited_for_a_daemon_that_was_away_is_not_dialled_and_its_entry_is_ended() {
    let branch = clicking_branch("").await;
    let daemon = branch.start().await;
    let first = click(&branch, &click_of(12)).await;
    finished(&branch, &first).await;
    daemon.settled(1).await;
    daemon.kill();
    branch.portal.shift_clock_ms(-60_000);
    let late = branch.portal.click(&click_of(12)).expect("told");
    branch.portal.shift_clock_ms(60_000);
    let daemon = branch.start_again().await;
    let ended = finished(&branch, &late).await;
    assert_eq!((ended.duration, ended.code.as_str()), (0, "503"));
    daemon.settled(1).await;
    told(&daemon, &["nobody waits for it"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_click_whose_employee_does_not_pick_up_ends_its_entry_and_makes_nothing() {
    let branch = clicking_branch("").await;
    branch.ami.on_originate("101", "originate_agent_noanswer");
    let daemon = branch.start().await;
    let id = click(&branch, &click_of(12)).await;
    let call = finished(&branch, &id).await;
    assert_eq!((call.duration, call.code.as_str()), (0, "304"), "{call:?}");
    daemon.settled(1).await;
    let oracle = branch.oracle();
    assert_eq!(
        (oracle.calls.len(), oracle.deals.len()),
        (1, 0),
        "{oracle:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn v_14_who_leaves_a_number_in_the_callback_form_is_called_by_who_is_set() {
    let more = "callback = \"anna\"\nnumber = \"+74950000001\"\n";
    let branch = clicking_branch(more).await;
    let daemon = branch.start().await;
    // Clicks and forms are told alike: the first click is a stranger's.
    let stranger = click(&branch, &click_of(15)).await;
    finished(&branch, &stranger).await;
    branch.portal.ask_for_callback(CLIENT, "Перезвоните", "");
    until("the client was called back", async || {
        let calls = branch.oracle().calls;
        let back = calls
            .iter()
            .any(|call| call.call_type == 4 && call.duration > 0);
        when(back, format!("{calls:?}\n{}", branch.home.log()))
    })
    .await;
    daemon.settled(1).await;
    assert_eq!(branch.oracle().live_calls.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clicks_that_no_source_can_place_are_a_mistake_of_the_configuration() {
    let branch = clicking_branch("callback = \"nobody\"\n").await;
    branch.home.edit_tenant(
        "click_to_call]\nsource = \"office\"",
        "click_to_call]\nsource = \"site\"",
    );
    let told = branch.home.run(&["check-config"]).await;
    assert_ne!(told.status, Some(0), "{told:?}");
    assert!(told.err.contains("site places no calls"), "{told:?}");
    assert!(
        told.err.contains("there is no employee \"nobody\""),
        "{told:?}"
    );
}
