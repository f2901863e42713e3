//! What a look around says to people, in Russian and in English.

use super::signs::Sign;
use crate::model::explanation::Language;

/// A text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Both {
    pub(super) ru: &'static str,
    pub(super) en: &'static str,
}

impl Both {
    pub(super) fn text(self, language: Language) -> &'static str {
        match language {
            Language::Ru => self.ru,
            Language::En => self.en,
        }
    }
}

/// What could not be seen, and what to grant for it.
pub(super) enum Limit<'a> {
    /// Queues beyond a bound.
    Queues(usize),
    /// Endpoints beyond a bound.
    Endpoints(usize),
    /// What is asked of each endpoint, beyond a bound.
    Details(usize),
    /// The rights of the AMI user do not suffice.
    Denied { what: &'a str, class: Both },
    /// The PBX answered with words of its own.
    NotListed { what: &'a str, message: &'a str },
}

impl Limit<'_> {
    pub(super) fn text(&self, language: Language) -> String {
        match language {
            Language::Ru => self.russian(),
            Language::En => self.english(),
        }
    }

    fn english(&self) -> String {
        match self {
            Limit::Queues(max) => format!("only the first {max} queues are shown"),
            Limit::Endpoints(max) => format!("only the first {max} endpoints are looked at"),
            Limit::Details(max) => {
                format!("contexts and caller ids of the first {max} endpoints only")
            }
            Limit::Denied { what, class } => format!(
                "the PBX does not let this AMI user see {what}: give it the write class {} in \
                 manager.conf",
                class.en
            ),
            Limit::NotListed { what, message } => {
                format!("the PBX does not list {what}: {message}")
            }
        }
    }

    fn russian(&self) -> String {
        match self {
            Limit::Queues(max) => format!("показаны только первые {max} очередей"),
            Limit::Endpoints(max) => {
                format!("рассмотрены только первые {max} телефонов и транков")
            }
            Limit::Details(max) => format!(
                "контексты и номера звонящего (caller id) прочитаны только у первых {max} телефонов \
                 и транков"
            ),
            Limit::Denied { what, class } => format!(
                "АТС не показывает этому пользователю AMI {what}: дайте ему в manager.conf право \
                 write = {}",
                class.ru
            ),
            Limit::NotListed { what, message } => {
                format!("АТС не перечисляет {what}: {message}")
            }
        }
    }
}

/// Why settings are proposed as they are, and what a person should look at.
pub(super) enum Remark<'a> {
    /// FreePBX's users were seen.
    FreePbx { extension: &'a str },
    /// A context of MikoPBX was seen.
    MikoPbx { context: &'a str },
    /// Neither was.
    NoDistribution { profile: &'a str },
    /// The settings name another distribution.
    OtherProfile { profile: &'a str },
    /// A person must say what it is.
    SayYourself { name: &'a str },
    /// A name that is no pattern.
    NoPattern { name: &'a str, list: &'a str },
    /// A trunk and a phone of one name.
    Namesakes {
        name: &'a str,
        one: &'a str,
        other: &'a str,
    },
    /// A list is full.
    Full {
        left_out: usize,
        list: &'a str,
        max: usize,
    },
    /// How long extensions are.
    Digits(&'a [String]),
}

impl Remark<'_> {
    pub(super) fn text(&self, language: Language) -> String {
        match language {
            Language::Ru => self.russian(),
            Language::En => self.english(),
        }
    }

    fn english(&self) -> String {
        match self {
            Remark::FreePbx { extension } => format!(
                "profile freepbx: its database has AMPUSER/{extension}, as only FreePBX writes"
            ),
            Remark::MikoPbx { context } => format!(
                "profile mikopbx: the context {context} has the form in which MikoPBX names its \
                 providers'"
            ),
            Remark::NoDistribution { profile } => {
                format!("profile {profile}: nothing of FreePBX or MikoPBX was seen")
            }
            Remark::OtherProfile { profile } => format!("the settings say profile {profile}"),
            Remark::SayYourself { name } => {
                format!("{name}: say yourself: name it in trunks or in extensions")
            }
            Remark::NoPattern { name, list } => format!("{name}: this name cannot stand in {list}"),
            Remark::Namesakes { name, one, other } => format!(
                "{name}: stands for a trunk and for a phone ({one}, {other}): give one of them \
                 another name in the PBX"
            ),
            Remark::Full {
                left_out,
                list,
                max,
            } => format!(
                "{left_out} more names did not fit into {list}, which takes {max}: use patterns \
                 such as name*"
            ),
            Remark::Digits(lengths) => format!("extensions have {} digits", lengths.join(" or ")),
        }
    }

    fn russian(&self) -> String {
        match self {
            Remark::FreePbx { extension } => format!(
                "profile freepbx: в базе АТС есть AMPUSER/{extension}, так пишет только FreePBX"
            ),
            Remark::MikoPbx { context } => format!(
                "profile mikopbx: контекст {context} назван так, как MikoPBX называет контексты \
                 провайдеров"
            ),
            Remark::NoDistribution { profile } => {
                format!("profile {profile}: признаков FreePBX и MikoPBX нет")
            }
            Remark::OtherProfile { profile } => format!("в настройках стоит profile {profile}"),
            Remark::SayYourself { name } => {
                format!("{name}: решите сами: впишите в trunks или в extensions")
            }
            Remark::NoPattern { name, list } => {
                format!("{name}: такое имя не может стоять в {list}")
            }
            Remark::Namesakes { name, one, other } => format!(
                "{name}: так называются и транк, и телефон ({one}, {other}): переименуйте один из \
                 них в АТС"
            ),
            Remark::Full {
                left_out,
                list,
                max,
            } => format!(
                "в {list} не вошло имён: {left_out} (помещается {max}): используйте шаблоны вида \
                 name*"
            ),
            Remark::Digits(lengths) => format!(
                "число цифр во внутренних номерах: {}",
                lengths.join(" или ")
            ),
        }
    }
}

impl Sign {
    /// Says it for people.
    pub(super) fn text(&self, language: Language) -> String {
        match language {
            Language::Ru => self.russian(),
            Language::En => self.english(),
        }
    }

    fn english(&self) -> String {
        match self {
            Sign::NamedTrunk => "the settings name it in trunks".to_owned(),
            Sign::NamedExtension => "the settings name it in extensions".to_owned(),
            Sign::RegistersElsewhere => "the PBX registers with a provider by it".to_owned(),
            Sign::LoginElsewhere => "the PBX logs in at the other end".to_owned(),
            Sign::TrunkContext(context) => {
                format!("its calls begin in {context}, where calls from outside do")
            }
            Sign::ByAddress => "it is recognised by the address that it calls from".to_owned(),
            Sign::FixedAddress => "its address is fixed, it does not register".to_owned(),
            Sign::TrunkName => "its name is not that of an extension".to_owned(),
            Sign::User(extension) => format!("FreePBX has a user {extension}"),
            Sign::QueueMember(queue) => format!("the queue {queue} rings it"),
            Sign::OwnCallerId(number) => format!("its caller id is its own: {number}"),
            Sign::RegistersItself => "it registers itself, as phones do".to_owned(),
            Sign::ExtensionName(extension) => {
                format!("its name is that of the extension {extension}")
            }
            Sign::PhoneContext(context) => {
                format!("its calls begin in {context}, where calls of phones do")
            }
        }
    }

    fn russian(&self) -> String {
        match self {
            Sign::NamedTrunk => "назван в настройках в trunks".to_owned(),
            Sign::NamedExtension => "назван в настройках в extensions".to_owned(),
            Sign::RegistersElsewhere => "через него АТС регистрируется у оператора".to_owned(),
            Sign::LoginElsewhere => "АТС входит на другую сторону под своим логином".to_owned(),
            Sign::TrunkContext(context) => {
                format!("звонки с него начинаются в {context}, как звонки извне")
            }
            Sign::ByAddress => "узнаётся по адресу, с которого звонит".to_owned(),
            Sign::FixedAddress => "адрес постоянный, сам не регистрируется".to_owned(),
            Sign::TrunkName => "имя не похоже на внутренний номер".to_owned(),
            Sign::User(extension) => format!("во FreePBX есть пользователь {extension}"),
            Sign::QueueMember(queue) => format!("ему звонит очередь {queue}"),
            Sign::OwnCallerId(number) => format!("звонит под собственным номером {number}"),
            Sign::RegistersItself => "регистрируется сам, как телефон".to_owned(),
            Sign::ExtensionName(extension) => format!("имя — внутренний номер {extension}"),
            Sign::PhoneContext(context) => {
                format!("звонки с него начинаются в {context}, как звонки телефонов")
            }
        }
    }
}
