//! Why something was not rehearsed, and what was taken for granted, in Russian and English.

use crate::model::explanation::Language;

use super::{Assumed, NotRehearsed};

impl NotRehearsed {
    /// Returns the reason as one sentence.
    pub fn text(&self, language: Language) -> String {
        match language {
            Language::Ru => self.russian(),
            Language::En => self.english(),
        }
    }

    fn russian(&self) -> String {
        match self {
            NotRehearsed::NotOver => "Обращение ещё идёт.".to_owned(),
            NotRehearsed::NotDecided => {
                "Решения ещё нет: CRM не ответила, или не дошла очередь.".to_owned()
            }
            NotRehearsed::NeverDecided => {
                "Ни одна интеграция этого портала не принимала по нему решения: что CRM знала о \
                 клиенте, не записано."
                    .to_owned()
            }
            NotRehearsed::Unseen => {
                "Решение принято первой версией, она не сохраняла, на что смотрела.".to_owned()
            }
            NotRehearsed::NotAsked => {
                "Решение было принято без вопроса к CRM, а с этими настройками о клиенте нужно \
                 спросить."
                    .to_owned()
            }
            NotRehearsed::DealsNotAsked => {
                "О сделках клиента тогда не спрашивали, а эти настройки на них смотрят.".to_owned()
            }
            NotRehearsed::OtherPortal(portal) => {
                format!("Решение принято для другого портала ({portal}): там другие карточки.")
            }
            NotRehearsed::PortalNotInForce(portal) => {
                format!("Портала {portal} нет среди действующих: неизвестно, что умеет его CRM.")
            }
            NotRehearsed::Zone(zone) => format!("Часовой пояс {zone:?} здесь неизвестен."),
        }
    }

    fn english(&self) -> String {
        match self {
            NotRehearsed::NotOver => "It is not over.".to_owned(),
            NotRehearsed::NotDecided => {
                "It is not decided yet: the CRM has not answered, or its turn has not come."
                    .to_owned()
            }
            NotRehearsed::NeverDecided => {
                "No integration of this portal decided about it: what the CRM knew of the client \
                 is not stored."
                    .to_owned()
            }
            NotRehearsed::Unseen => {
                "It was decided by the first version, which did not keep what it saw.".to_owned()
            }
            NotRehearsed::NotAsked => {
                "It was decided without asking the CRM, and these settings ask about the client."
                    .to_owned()
            }
            NotRehearsed::DealsNotAsked => {
                "The client's deals were not asked for then, and these settings look at them."
                    .to_owned()
            }
            NotRehearsed::OtherPortal(portal) => {
                format!("It was decided for another portal ({portal}), with other cards.")
            }
            NotRehearsed::PortalNotInForce(portal) => {
                format!("The portal {portal} is not in force: what its CRM offers is not known.")
            }
            NotRehearsed::Zone(zone) => format!("The time zone {zone:?} is not known here."),
        }
    }
}

impl Assumed {
    /// Returns it as one sentence.
    pub fn text(self, language: Language) -> &'static str {
        match (self, language) {
            (Assumed::EndForAnswer, Language::Ru) => {
                "При ответе тогда ничего не решалось: взято то, что было известно в конце."
            }
            (Assumed::EndForAnswer, Language::En) => {
                "Nothing was decided at the answer then: what was known at the end stands for it."
            }
        }
    }
}
