//! A look around in a phone system, by the real program: configured and not yet configured.

use trunkline::lab::ami::{AmiCompany, AmiEndpoint, AmiQueue, Driver, SIP_PASSWORD};

use super::daemon::list;
use super::office::Office;

/// A company with something of everything.
fn company() -> AmiCompany {
    let mut company = AmiCompany::office();
    company.not_loaded = vec![Driver::Sip];
    company.endpoints.extend([
        AmiEndpoint {
            registers: true,
            context: "provider-in".to_owned(),
            ..AmiEndpoint::trunk("7701")
        },
        AmiEndpoint {
            driver: Driver::Iax,
            ..AmiEndpoint::trunk("branch")
        },
        AmiEndpoint::phone("104", "Zoya\u{1b}[2J \"X\"] \u{202e}"),
        AmiEndpoint {
            caller_id: String::new(),
            ..AmiEndpoint::trunk("*")
        },
    ]);
    company.queues.push(AmiQueue {
        name: "x\u{1b}]0;evil\u{7}".to_owned(),
        members: vec![("PJSIP/104".to_owned(), "Zoya".to_owned())],
    });
    company
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configured_source_is_compared_with_what_is_there() {
    let office = Office::open().await;
    office.ami.configure(company());
    let daemon = office.start().await;
    let before = office.ami.database();
    let told = office
        .home
        .run(&["pbx", "discover", "acme/office", "--json"])
        .await;
    assert_eq!(told.status, Some(0), "{told:?}");
    let found = told.json();
    assert_eq!(found["complete"], true, "{found:#}");
    let of = |name: &str| {
        let mut endpoints = list(&found, "endpoints").iter();
        endpoints
            .find(|one| one["name"] == name)
            .expect("listed")
            .clone()
    };
    assert_eq!(of("101")["role"], "extension");
    assert_eq!(of("trunk")["role"], "trunk");
    assert_eq!(of("branch")["technology"], "IAX2");
    // The settings in force take a provider's login for a phone: that is what one looks for.
    assert_eq!(of("7701")["role"], "trunk");
    assert_eq!(of("7701")["taken_for"], "extension");
    let people: Vec<(&str, Option<&str>)> = list(&found, "employees")
        .iter()
        .map(|one| {
            (
                one["extension"].as_str().unwrap_or(""),
                one["known_as"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        people,
        [
            ("101", Some("anna")),
            ("102", Some("boris")),
            ("103", None),
            ("104", None)
        ]
    );
    let told = office
        .home
        .run(&["pbx", "discover", "acme/office", "--lang", "en"])
        .await;
    assert_eq!(told.status, Some(0), "{told:?}");
    for words in [
        "PJSIP/7701",
        "clear: the PBX registers with a provider by it",
        "! the settings in force take it for a phone",
        "101  Anna  is anna",
        "103  Vera  new: vera",
        "support: 101, 102",
        "*: this name cannot stand in trunks",
    ] {
        assert!(told.out.contains(words), "{words}: {}", told.out);
    }
    // In the company's language unless another one is wished for.
    for (language, words) in [
        (&[][..], "через него АТС регистрируется у оператора"),
        (
            &["--lang", "ru"][..],
            "*: такое имя не может стоять в trunks",
        ),
    ] {
        let arguments = [&["pbx", "discover", "acme/office"][..], language].concat();
        let told = office.home.run(&arguments).await;
        assert_eq!(told.status, Some(0), "{told:?}");
        assert!(told.out.contains(words), "{words}: {}", told.out);
        assert!(
            !told.out.contains("registers with a provider"),
            "{}",
            told.out
        );
    }
    let piece = office
        .home
        .run(&["pbx", "discover", "acme/office", "--toml", "--lang", "en"])
        .await;
    assert!(!piece.out.contains("[[sources]]\n"), "{}", piece.out);
    assert!(
        !piece.out.contains("\"anna\""),
        "who is there is not proposed: {}",
        piece.out
    );
    for text in [
        &told.out,
        &piece.out,
        &found.to_string(),
        &office.home.log(),
    ] {
        assert!(!text.contains(SIP_PASSWORD), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text}");
    }
    assert_eq!(office.ami.database(), before, "nothing is changed there");

    for (source, status, words) in [
        ("acme/nowhere", Some(2), "there is no source acme/nowhere"),
        ("acme/site", Some(1), "nothing to look around in"),
        ("office", Some(2), "is not an identifier"),
    ] {
        let told = office
            .home
            .run(&["pbx", "discover", source, "--lang", "en"])
            .await;
        assert_eq!(told.status, status, "{told:?}");
        assert!(told.err.contains(words), "{told:?}");
    }
    assert_eq!(daemon.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_piece_of_configuration_for_a_new_phone_system_is_right_as_it_is() {
    let office = Office::open().await;
    let mut there = company();
    // A user of FreePBX, whose name is written to break out of the configuration.
    there.endpoints.push(AmiEndpoint {
        caller_id: "device <105>".to_owned(),
        ..AmiEndpoint::phone("105", "")
    });
    office.ami.configure(there);
    let hostile = "Eve\" \u{1b}[31m # [[employees]] id = \"mallory\"";
    office.ami.put_row("AMPUSER", "105/cidname", hostile);
    let port = office.ami.address().port().to_string();
    let secret = office.home.path("secrets/ami");
    let secret = secret.to_str().expect("text");
    let host = [
        "pbx",
        "discover",
        "--lang",
        "en",
        "--host",
        "127.0.0.1",
        "--port",
        &port,
    ];
    let user = [
        "--username",
        "trunkline",
        "--secret-file",
        secret,
        "--id",
        "new",
    ];
    let piece = office
        .home
        .run(&[&host[..], &user[..], &["--toml"]].concat())
        .await;
    assert_eq!(piece.status, Some(0), "{piece:?}");
    assert!(!piece.out.contains('\u{1b}'), "{piece:?}");

    let tenant = "[tenant]\nid = \"fresh\"\nname = \"Fresh\"\ntime_zone = \"Europe/Moscow\"\n\n";
    office.home.write(
        "etc/tenants.d/fresh.toml",
        &format!("{tenant}{}", piece.out),
    );
    let checked = office.home.run(&["check-config"]).await;
    assert_eq!(checked.status, Some(0), "{checked:?}\n{}", piece.out);
    let table: toml::Table = piece.out.parse().expect("TOML");
    let channels = &table["sources"][0]["settings"]["channels"];
    assert_eq!(channels["profile"].as_str(), Some("freepbx"));
    let trunks: Vec<&str> = channels["trunks"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(toml::Value::as_str)
        .collect();
    assert_eq!(trunks, ["7701", "trunk", "branch"]);
    let employees = table["employees"].as_array().expect("a list");
    assert_eq!(employees.len(), 5, "{}", piece.out);

    // What is missing, said before anything is configured.
    let told = office
        .home
        .run(&[&host[..], &["--username", "trunkline"]].concat())
        .await;
    assert_eq!(told.status, Some(2), "{told:?}");
    office.home.write("secrets/wrong", "not-the-secret\n");
    let wrong = office.home.path("secrets/wrong");
    let wrong = wrong.to_str().expect("text");
    let user = ["--username", "trunkline", "--secret-file", wrong];
    let told = office.home.run(&[&host[..], &user[..]].concat()).await;
    assert_eq!(told.status, Some(1), "{told:?}");
    assert!(
        told.err.contains("Either user or secret is wrong"),
        "{told:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_user_may_not_see_is_said_with_the_right_that_is_missing() {
    let office = Office::open().await;
    let port = office.ami.address().port().to_string();
    office.home.write("secrets/lean", "loopback-only\n");
    let secret = office.home.path("secrets/lean");
    let secret = secret.to_str().expect("text");
    let look = async |user: &str| {
        let arguments = [
            "pbx",
            "discover",
            "--lang",
            "en",
            "--host",
            "127.0.0.1",
            "--port",
            &port,
            "--username",
            user,
            "--secret-file",
            secret,
            "--json",
        ];
        let told = office.home.run(&arguments).await;
        assert_eq!(told.status, Some(0), "{told:?}");
        told.json()
    };
    let nothing = look("crmread").await;
    assert_eq!(nothing["complete"], false, "{nothing:#}");
    assert_eq!(nothing["endpoints"], serde_json::json!([]));
    let limits: Vec<&str> = list(&nothing, "limits")
        .iter()
        .filter_map(|one| one.as_str())
        .collect();
    assert_eq!(
        limits,
        [
            "the PBX does not let this AMI user see the endpoints of PJSIP: give it the write \
             class system in manager.conf",
            "the PBX does not let this AMI user see with whom PJSIP registers: give it the write \
             class system or reporting in manager.conf",
        ]
    );
    // Queues are nobody's secret.
    assert_eq!(list(&nothing, "queues").len(), 2);
    let all = look("crm").await;
    assert_eq!(all["complete"], true, "{all:#}");
    assert_eq!(list(&all, "endpoints").len(), 4);
}
