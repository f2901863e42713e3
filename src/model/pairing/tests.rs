use super::*;
use crate::model::employee::{EmployeeExtension, EmployeeUser};
use crate::model::ids::Extension;

fn account() -> AccountId {
    "sales".parse().expect("an id")
}

fn employee(id: &str, name: &str, login: &str, user: Option<&str>) -> Employee {
    let users = user.map(|user| EmployeeUser {
        account: account(),
        user: CrmUserId(user.to_owned()),
    });
    let extension = EmployeeExtension {
        source: "office".parse().expect("an id"),
        extension: Extension(login.to_owned()),
    };
    let employee = serde_json::json!({
        "id": id, "name": name, "extensions": [extension],
        "users": users.into_iter().collect::<Vec<_>>(), "phones": [],
    });
    serde_json::from_value(employee).expect("an employee")
}

fn user(id: &str, name: &str, email: &str) -> PortalUser {
    PortalUser {
        user: CrmUserId(id.to_owned()),
        name: name.to_owned(),
        email: (!email.is_empty()).then(|| email.to_owned()),
        phone: None,
        active: true,
    }
}

/// Returns the suggestions as `employee=user likeness`.
fn suggested(employees: Vec<Employee>, users: &[PortalUser]) -> Vec<String> {
    let found = pairing(&Employees(employees), &account(), users);
    let alone = found.employees_alone.into_iter();
    alone
        .filter_map(|one| Some((one.employee, one.suggestion?)))
        .map(|(employee, to)| format!("{employee}={} {:?}", to.user, to.by))
        .collect()
}

#[test]
fn s1_06_pairs_and_those_without_one_are_told_apart() {
    let mut left = user("504", "Вера", "");
    left.active = false;
    let users = [user("502", "Иванов И.", ""), left, user("505", "Робот", "")];
    let employees = vec![
        employee("ivanov", "Иванов Иван", "101", Some("502")),
        employee("vera", "Вера", "103", Some("504")),
        employee("petrova", "Петрова", "102", Some("777")),
        employee("new", "Новиков", "104", None),
    ];
    let found = pairing(&Employees(employees), &account(), &users);
    let pairs: Vec<_> = found
        .pairs
        .iter()
        .map(|one| (one.user.0.as_str(), one.active))
        .collect();
    assert_eq!(pairs, [("502", true), ("504", false)]);
    assert_eq!(found.gone[0].employee.as_str(), "petrova");
    assert_eq!(found.employees_alone[0].employee.as_str(), "new");
    assert_eq!(found.employees_alone[0].suggestion, None);
    assert_eq!(found.users_alone.len(), 1);
    assert_eq!(found.users_alone[0].user.0, "505");
}

#[test]
fn s1_06_suggestions_come_by_e_mail_then_extension_then_name() {
    let users = [
        user("1", "Кто-то", "Ivanov@romashka.ru"),
        user("2", "Менеджер 102", ""),
        user("3", "Семён Фёдоров", ""),
        user("4", "Анна", "sales@romashka.ru"),
    ];
    let employees = vec![
        employee("ivanov", "Иванов", "101", None),
        employee("petrova", "Петрова", "102", None),
        employee("fedorov", "Федоров Семен", "103", None),
        employee("anna", "Анна Смирнова", "104", None),
    ];
    assert_eq!(
        suggested(employees, &users),
        [
            "ivanov=1 Email",
            "petrova=2 Extension",
            "fedorov=3 Name",
            "anna=4 Name"
        ]
    );
}

#[test]
fn s1_06_where_two_could_be_meant_none_is_suggested() {
    let employees = || {
        vec![
            employee("anna-p", "Анна Петрова", "102", None),
            employee("anna-s", "Анна Смирнова", "104", None),
        ]
    };
    let users = [user("4", "Анна", "")];
    assert_eq!(suggested(employees(), &users), Vec::<String>::new());
    // The surer likeness decides for one, and leaves one for the other.
    let users = [user("4", "Анна", ""), user("5", "Анна 104", "")];
    assert_eq!(
        suggested(employees(), &users),
        ["anna-p=4 Name", "anna-s=5 Extension"]
    );
    let mut left = user("4", "Анна Петрова", "");
    left.active = false;
    assert_eq!(suggested(employees(), &[left]), Vec::<String>::new());
}

#[test]
fn s1_06_an_address_that_is_known_and_the_telephone_of_a_user_speak_for_a_pair() {
    let phoned = |id: &str, name: &str, phone: &str| PortalUser {
        phone: Some(phone.to_owned()),
        ..user(id, name, "")
    };
    let users = [
        user("1", "Отдел", "a.smirnova@romashka.ru"),
        user("2", "Кто-то", "ivanov@romashka.ru"),
        phoned("3", "Мобильный", "8 (916) 000-00-01"),
        phoned("4", "Добавочный", "вн. 104"),
    ];
    let mut anna = employee("anna", "Анна", "101", None);
    anna.email = Some("A.Smirnova@romashka.ru".to_owned());
    // The address that is known goes before what the id looks like.
    let mut ivanov = employee("ivanov", "Иванов", "102", None);
    ivanov.email = Some("i.ivanov@romashka.ru".to_owned());
    let mut petrov = employee("petrov", "Петров", "103", None);
    petrov.phones = vec![Phone::try_from("+79160000001".to_owned()).expect("a number")];
    let sidorov = employee("sidorov", "Сидоров", "104", None);
    assert_eq!(
        suggested(vec![anna, ivanov, petrov, sidorov], &users),
        ["anna=1 Email", "petrov=3 Phone", "sidorov=4 Extension"]
    );
}
