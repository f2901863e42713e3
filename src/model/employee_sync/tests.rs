use super::*;
use crate::model::phone::{Phone, Region};

const NOW: Timestamp = Timestamp::from_secs(1_795_211_600);
const LATER: Timestamp = Timestamp::from_secs(1_795_300_000);

fn user(id: &str, name: &str) -> ListedUser {
    ListedUser {
        user: CrmUserId(id.to_owned()),
        name: name.to_owned(),
        email: None,
        phone: None,
        extension: None,
        active: true,
    }
}

fn with_extension(id: &str, name: &str, extension: &str) -> ListedUser {
    ListedUser {
        extension: Some(Extension(extension.to_owned())),
        ..user(id, name)
    }
}

fn synced(users: Vec<ListedUser>) -> SyncedEmployees {
    let settings = EmployeeSyncSettings::default();
    let none = SyncedEmployees::default();
    none.take(
        users,
        &settings,
        SyncReason::Manual,
        SyncManner::ManualOnly,
        NOW,
    )
    .0
}

fn ids(users: &[CrmUserId]) -> Vec<&str> {
    users.iter().map(|user| user.0.as_str()).collect()
}

fn of(synced: &SyncedEmployees) -> Vec<String> {
    let line = |one: &SyncedEmployee| format!("{} {}", one.listed.user, one.listed.name);
    synced.employees.iter().map(line).collect()
}

#[test]
fn s2_05_everybody_is_taken_over_or_a_chosen_list() {
    let users = || vec![user("5", "Анна"), user("6", "Борис"), user("7", "Вера")];
    for (all, chosen, taken) in [
        (true, vec![], vec!["5", "6", "7"]),
        (false, vec!["6"], vec!["6"]),
        (false, vec!["7", "99"], vec!["7"]),
    ] {
        let settings = EmployeeSyncSettings {
            all,
            chosen: chosen
                .iter()
                .map(|id| CrmUserId((*id).to_owned()))
                .collect(),
            ..EmployeeSyncSettings::default()
        };
        assert!(settings.mistakes().is_empty());
        let none = SyncedEmployees::default();
        let (_, report) = none.take(
            users(),
            &settings,
            SyncReason::Manual,
            SyncManner::ManualOnly,
            NOW,
        );
        assert_eq!(ids(&report.added), taken);
    }
    let nobody = EmployeeSyncSettings {
        all: false,
        ..EmployeeSyncSettings::default()
    };
    assert_eq!(nobody.mistakes().len(), 1);
    // Who is not chosen any more goes with the next reading.
    let before = synced(users());
    let one = EmployeeSyncSettings {
        chosen: vec![CrmUserId("5".to_owned())],
        ..nobody
    };
    let (after, report) = before.take(
        users(),
        &one,
        SyncReason::Manual,
        SyncManner::ManualOnly,
        LATER,
    );
    assert_eq!(of(&after), ["5 Анна"]);
    assert_eq!(ids(&report.removed), ["6", "7"]);
}

#[test]
fn v_02_a_nightly_sync_adds_who_is_not_known_and_leaves_the_others_alone() {
    let before = synced(vec![user("5", "Анна"), user("6", "Борис")]);
    let users = || vec![user("5", "Анна Петрова"), user("7", "Вера")];
    let settings = EmployeeSyncSettings::default();
    let take = |reason, manner| before.take(users(), &settings, reason, manner, LATER);
    let (night, report) = take(SyncReason::Timed, SyncManner::NightlyNew);
    assert_eq!(of(&night), ["5 Анна", "7 Вера", "6 Борис"]);
    assert_eq!(ids(&report.added), ["7"]);
    assert!(report.changed.is_empty() && report.removed.is_empty());
    assert_eq!((night.manual_at, night.read_at), (Some(NOW), Some(LATER)));
    for (reason, manner) in [
        (SyncReason::Timed, SyncManner::Daily),
        (SyncReason::Manual, SyncManner::NightlyNew),
    ] {
        let (all, report) = take(reason, manner);
        assert_eq!(of(&all), ["5 Анна Петрова", "7 Вера"], "{reason:?}");
        assert_eq!(ids(&report.changed), ["5"]);
        assert_eq!(ids(&report.removed), ["6"]);
    }
}

#[test]
fn v_02_statuses_say_who_is_away_and_add_nobody() {
    let before = synced(vec![user("5", "Анна"), user("6", "Борис")]);
    let left = ListedUser {
        active: false,
        ..user("6", "Борис")
    };
    let settings = EmployeeSyncSettings::default();
    let (after, report) = before.take(
        vec![user("5", "Анна"), left, user("7", "Вера")],
        &settings,
        SyncReason::Statuses,
        SyncManner::Daily,
        LATER,
    );
    assert_eq!(ids(&report.changed), ["6"]);
    assert!(report.added.is_empty());
    let account: AccountId = "main".parse().expect("an id");
    let joining = Joining {
        account: &account,
        sources: &[],
        settings: &settings,
        synced: &after,
    };
    let joined = join(&Employees::default(), &[joining]);
    let away: Vec<&str> = joined.away.iter().map(EmployeeId::as_str).collect();
    assert_eq!(away, ["main-user-6"]);
}

fn file() -> Employees {
    let office: SourceId = "office".parse().expect("an id");
    let person = |id: &str, name: &str, extension: &str| Employee {
        id: id.parse().expect("an id"),
        name: name.to_owned(),
        email: None,
        extensions: vec![EmployeeExtension {
            source: office.clone(),
            extension: Extension(extension.to_owned()),
        }],
        users: Vec::new(),
        phones: Vec::new(),
    };
    let paired = Employee {
        users: vec![EmployeeUser {
            account: "main".parse().expect("an id"),
            user: CrmUserId("5".to_owned()),
        }],
        ..person("anna", "Анна", "101")
    };
    let by_phone = Employee {
        phones: vec![Phone::parse("+79165550001", Region::RU).expect("a number")],
        ..person("vera", "Вера", "103")
    };
    Employees(vec![paired, person("boris", "Борис", "102"), by_phone])
}

fn joined_with(users: Vec<ListedUser>, settings: &EmployeeSyncSettings) -> Joined {
    let (account, office): (AccountId, SourceId) = (
        "main".parse().expect("an id"),
        "office".parse().expect("an id"),
    );
    let synced = synced(users);
    let joining = Joining {
        account: &account,
        sources: &[office],
        settings,
        synced: &synced,
    };
    join(&file(), &[joining])
}

#[test]
fn s2_04_the_files_entries_win_and_the_others_join_by_what_is_sure() {
    let users = vec![
        // The file says who this is, whatever the CRM does.
        with_extension("5", "Некто", "102"),
        with_extension("6", "Борис Сидоров", "102"),
        ListedUser {
            phone: Some("8 916 555-00-01".to_owned()),
            ..user("7", "В. К.")
        },
        with_extension("8", "Галина", "104"),
        user("9", "Дмитрий"),
    ];
    let on = EmployeeSyncSettings {
        no_personal_managers: vec![CrmUserId("8".to_owned()), CrmUserId("5".to_owned())],
        ..EmployeeSyncSettings::default()
    };
    let joined = joined_with(users.clone(), &on);
    let told: Vec<String> = joined
        .employees
        .0
        .iter()
        .map(|employee| {
            let users = employee.users.iter().map(|user| user.user.0.as_str());
            let extensions = employee
                .extensions
                .iter()
                .map(|one| one.extension.0.as_str());
            let parts: Vec<&str> = users.chain(extensions).collect();
            format!("{} {}", employee.id, parts.join(" "))
        })
        .collect();
    assert_eq!(
        told,
        [
            "anna 5 101",
            "boris 6 102",
            "vera 7 103",
            "main-user-8 8 104",
            "main-user-9 9"
        ]
    );
    let no_managers: Vec<&str> = joined.no_managers.iter().map(EmployeeId::as_str).collect();
    // Of an employee of the file the file says it.
    assert_eq!(no_managers, ["main-user-8"]);
    let off = EmployeeSyncSettings {
        on: false,
        ..EmployeeSyncSettings::default()
    };
    assert_eq!(joined_with(users, &off).employees, file());
}

#[test]
fn a_name_alone_pairs_nobody_and_an_extension_is_given_once() {
    let settings = EmployeeSyncSettings::default();
    let joined = joined_with(
        vec![user("6", "Борис"), with_extension("8", "Г", "102")],
        &settings,
    );
    assert!(
        joined.employees.0[1]
            .users
            .iter()
            .all(|user| user.user.0 != "6")
    );
    let new = |id: &str| joined.employees.get(&id.parse().expect("an id"));
    assert!(new("main-user-6").is_some());
    // 102 is Boris's: whoever the CRM gives it to is Boris.
    assert_eq!(joined.employees.0[1].users[0].user.0, "8");
    let left = ListedUser {
        active: false,
        ..user("4", "Уволенный")
    };
    assert!(joined_with(vec![left], &settings).new.is_empty());
}
