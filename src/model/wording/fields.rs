//! Why a field is left out, in words.

use crate::model::explanation::Language;
use crate::model::field::FieldMiss;

impl FieldMiss {
    /// Returns the reason as the end of a sentence.
    pub fn text(&self, language: Language) -> String {
        match language {
            Language::Ru => russian(self),
            Language::En => english(self),
        }
    }
}

fn russian(why: &FieldMiss) -> String {
    match why {
        FieldMiss::NotThere => "в CRM нет такого поля у карточек этого вида".to_owned(),
        FieldMiss::Several { count } => {
            format!("так называются несколько полей ({count}): укажите id")
        }
        FieldMiss::NotListed => "CRM не показывает нам список полей: укажите id поля".to_owned(),
        FieldMiss::Twice => "это поле уже заполняет другая настройка".to_owned(),
        FieldMiss::TakesNoText { kind } => format!("поле типа «{kind}» текстом не заполнить"),
        FieldMiss::NoNumber => "поле принимает число, а получился другой текст".to_owned(),
        FieldMiss::NoTick => "поле принимает «да» или «нет», а получился другой текст".to_owned(),
        FieldMiss::NoOption { option } => format!("в списке поля нет варианта «{option}»"),
        FieldMiss::NoDay => "поле принимает дату, например 20.11.2026".to_owned(),
        FieldMiss::NoMoment => "поле принимает дату и время, например 20.11.2026 12:00".to_owned(),
        FieldMiss::NoAddress => "поле принимает адрес сайта".to_owned(),
    }
}

fn english(why: &FieldMiss) -> String {
    match why {
        FieldMiss::NotThere => "the CRM has no such field on cards of this sort".to_owned(),
        FieldMiss::Several { count } => {
            format!("{count} fields have this name: write the id")
        }
        FieldMiss::NotListed => "the CRM does not list its fields to us: write the id".to_owned(),
        FieldMiss::Twice => "another setting fills this field already".to_owned(),
        FieldMiss::TakesNoText { kind } => {
            format!("a field of type {kind:?} cannot be filled with text")
        }
        FieldMiss::NoNumber => "the field takes a number, and the text is none".to_owned(),
        FieldMiss::NoTick => "the field takes yes or no, and the text is neither".to_owned(),
        FieldMiss::NoOption { option } => format!("the field has no option {option:?}"),
        FieldMiss::NoDay => "the field takes a date such as 20.11.2026".to_owned(),
        FieldMiss::NoMoment => {
            "the field takes a date and time such as 20.11.2026 12:00".to_owned()
        }
        FieldMiss::NoAddress => "the field takes a web address".to_owned(),
    }
}
