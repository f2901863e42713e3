//! Telephone numbers of clients.

use std::fmt;
use std::str::FromStr;

use rlibphonenumber::enums::{NumberLengthType, Region as LibraryRegion};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

/// Longest text that is looked at as a number; longer input is refused unread.
const NUMBER_BYTES_MAX: usize = 128;

/// A country in whose national form numbers are written, as ISO 3166-1 alpha-2 (`RU`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(LibraryRegion);

impl Region {
    /// Russia, the default of every setting that asks for a region.
    pub const RU: Region = Region(LibraryRegion::RU);

    /// Returns the country's code, such as `7`; empty where there is none.
    pub fn country_code(self) -> String {
        let code = PHONE_NUMBER_UTIL.get_country_code_for_region(self.0);
        code.map(|code| code.to_string()).unwrap_or_default()
    }

    /// Returns what is dialled in the country code's place inside the country, such as `8`; empty
    /// where nothing is.
    pub fn trunk_prefix(self) -> String {
        let prefix = || {
            let example = PHONE_NUMBER_UTIL.get_example_number(self.0).ok()?;
            let phone = Phone(example.format_as(PhoneNumberFormat::E164).into_owned());
            let own = phone.digits().strip_prefix(&self.country_code())?;
            Some(phone.national_digits().strip_suffix(own)?.to_owned())
        };
        prefix().unwrap_or_default()
    }
}

impl Default for Region {
    fn default() -> Self {
        Self::RU
    }
}

/// A text that names no region with a numbering plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a region: use two capital letters such as RU or KZ")]
pub struct BadRegion {
    /// The refused text.
    pub text: String,
}

impl FromStr for Region {
    type Err = BadRegion;
    fn from_str(text: &str) -> Result<Self, BadRegion> {
        let bad = || BadRegion {
            text: text.chars().take(16).collect(),
        };
        if text.len() != 2 || !text.chars().all(|c| c.is_ascii_uppercase()) {
            return Err(bad());
        }
        text.parse::<LibraryRegion>().map(Self).map_err(|_| bad())
    }
}

impl TryFrom<String> for Region {
    type Error = BadRegion;
    fn try_from(text: String) -> Result<Self, BadRegion> {
        text.parse()
    }
}

impl From<Region> for String {
    fn from(region: Region) -> String {
        region.to_string()
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// A public telephone number in E.164, such as `+79161234567`. Cannot exist in another form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct Phone(String);

impl Serialize for Phone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A text that is no public telephone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a telephone number")]
pub struct NotAPhone;

impl Phone {
    /// Reads any textual form (`+7…`, `8…`, `7…`, ten digits, brackets, an extension at the end);
    /// a number without a country code is taken as one of `region`.
    pub fn parse(text: &str, region: Region) -> Result<Self, NotAPhone> {
        let text = text.trim();
        match plain_russian(text, region) {
            Some(phone) => Ok(phone),
            None => Self::parse_any(text, region),
        }
    }

    /// Reads a number by the plans of all countries.
    fn parse_any(text: &str, region: Region) -> Result<Self, NotAPhone> {
        if text.len() > NUMBER_BYTES_MAX {
            return Err(NotAPhone);
        }
        let number = PHONE_NUMBER_UTIL
            .parse(text, Some(region.0))
            .map_err(|_| NotAPhone)?;
        // Numbers that can be dialled only inside a town are refused: E.164 cannot carry them.
        if !matches!(
            number.is_possible_with_reason(),
            Ok(NumberLengthType::IsPossible)
        ) {
            return Err(NotAPhone);
        }
        Ok(Self(number.format_as(PhoneNumberFormat::E164).into_owned()))
    }

    /// Returns the number as `+` and digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the digits without the `+`.
    pub fn digits(&self) -> &str {
        &self.0[1..]
    }

    /// Returns what numbers are sorted by where they come in order: how long they are, then their
    /// digits.
    pub fn order(&self) -> (usize, &str) {
        (self.0.len(), self.digits())
    }

    /// Returns the last ten digits, by which amoCRM matches calls to cards (`crm/amocrm.md` §11).
    pub fn last_ten(&self) -> &str {
        let digits = self.digits();
        &digits[digits.len().saturating_sub(10)..]
    }

    /// Returns the country whose ordinary number this is: one of a person or a company, mobile or
    /// not. `None` for numbers that no plan has, and for those whose price the called party or a
    /// network sets (premium rate, satellite, shared cost).
    pub fn ordinary_region(&self) -> Option<Region> {
        let number = PHONE_NUMBER_UTIL.parse(&self.0, None).ok()?;
        let ordinary = matches!(
            number.get_type(),
            PhoneNumberType::FixedLine
                | PhoneNumberType::Mobile
                | PhoneNumberType::FixedLineOrMobile
                | PhoneNumberType::TollFree
                | PhoneNumberType::VoIP
        );
        if !ordinary || !number.is_valid() {
            return None;
        }
        let region = PHONE_NUMBER_UTIL.get_region_for_number(&number)?;
        // Codes that belong to no country: satellite, international networks.
        (region != LibraryRegion::World).then_some(Region(region))
    }

    /// Returns the digits as they are dialled inside the number's own country: `89161234567`.
    pub fn national_digits(&self) -> String {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect();
        match PHONE_NUMBER_UTIL.parse(&self.0, None) {
            Ok(number) => digits(&number.format_as(PhoneNumberFormat::National)),
            Err(_) => self.digits().to_owned(),
        }
    }

    /// Returns the number with its middle hidden, for logs: `+7916***4567`.
    pub fn masked(&self) -> String {
        let n = self.0.len();
        if n < 9 {
            return "+***".to_owned();
        }
        format!("{}***{}", &self.0[..n - 7], &self.0[n - 4..])
    }
}

/// Reads the forms in which phone systems in Russia write nearly every number: `+7` and ten digits
/// anywhere; `8`, `7` or nothing before them at home. Says what the plans of all countries say, in
/// a fraction of the time: a ringing phone waits for it.
fn plain_russian(text: &str, region: Region) -> Option<Phone> {
    let national = match text.strip_prefix("+7") {
        Some(rest) => rest,
        None if region == Region::RU && text.len() == 11 => {
            text.strip_prefix('8').or_else(|| text.strip_prefix('7'))?
        }
        // 810 leads abroad.
        None if region == Region::RU && !text.starts_with("810") => text,
        None => return None,
    };
    // Other first digits belong to no area code: what becomes of them is not for here.
    let known = national.starts_with(['3', '4', '7', '8', '9']);
    let whole = national.len() == 10 && national.bytes().all(|b| b.is_ascii_digit());
    (known && whole).then(|| Phone(format!("+7{national}")))
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Phone {
    type Error = NotAPhone;
    fn try_from(text: String) -> Result<Self, NotAPhone> {
        let digits = text.strip_prefix('+').ok_or(NotAPhone)?;
        if (4..=17).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text))
        } else {
            Err(NotAPhone)
        }
    }
}

impl From<Phone> for String {
    fn from(phone: Phone) -> String {
        phone.0
    }
}

/// The outside party's number as a source reported it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ClientNumber {
    /// A public number.
    Phone {
        /// The number.
        phone: Phone,
    },
    /// A short or otherwise unreadable number, kept as it was.
    Other {
        /// The text, at most 128 characters, without control characters.
        text: String,
    },
    /// The caller hid the number, or the source has none.
    Withheld,
}

impl ClientNumber {
    /// Returns the public number, when there is one.
    pub fn phone(&self) -> Option<&Phone> {
        match self {
            ClientNumber::Phone { phone } => Some(phone),
            ClientNumber::Other { .. } | ClientNumber::Withheld => None,
        }
    }
}

impl fmt::Display for ClientNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientNumber::Phone { phone } => phone.fmt(f),
            ClientNumber::Other { text } => f.write_str(text),
            ClientNumber::Withheld => f.write_str("withheld"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_russian_form_is_one_number() {
        for text in [
            "+79161234567",
            "79161234567",
            "89161234567",
            "9161234567",
            "8 (916) 123-45-67",
            "+7 916 123 45 67 доб. 12",
            "+7-916-123-45-67",
        ] {
            let phone = Phone::parse(text, Region::RU).expect(text);
            assert_eq!(phone.as_str(), "+79161234567", "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_short_way_says_what_the_plans_say(
            text in "(\\+7|810|8|7|\\+|)[0-9]{8,11}",
            kazakh in proptest::bool::ANY,
        ) {
            let region = if kazakh { "KZ".parse().expect("a region") } else { Region::RU };
            if let Some(phone) = plain_russian(&text, region) {
                proptest::prop_assert_eq!(Phone::parse_any(&text, region), Ok(phone), "{}", &text);
            }
        }
    }

    #[test]
    fn a_region_has_its_code_and_what_is_dialled_in_its_place() {
        for (region, code, prefix) in [
            ("RU", "7", "8"),
            ("KZ", "7", "8"),
            ("UA", "380", "0"),
            ("DE", "49", "0"),
            ("US", "1", ""),
            ("IT", "39", ""),
        ] {
            let region: Region = region.parse().expect("a region");
            assert_eq!(
                (
                    region.country_code().as_str(),
                    region.trunk_prefix().as_str()
                ),
                (code, prefix)
            );
        }
    }

    #[test]
    fn short_and_silly_texts_are_no_numbers() {
        for text in [
            "",
            "101",
            "*8",
            "anonymous",
            "<unknown>",
            "s",
            "+",
            &"9".repeat(200),
        ] {
            assert_eq!(Phone::parse(text, Region::RU), Err(NotAPhone), "{text}");
        }
    }

    #[test]
    fn a_masked_number_shows_neither_middle_nor_all() {
        let phone = Phone::parse("+79161234567", Region::RU).expect("a number");
        assert_eq!(phone.masked(), "+7916***4567");
        assert_eq!(phone.last_ten(), "9161234567");
    }

    #[test]
    fn only_ordinary_numbers_have_a_region_that_may_be_called() {
        for (text, region) in [
            ("+79161234567", Some("RU")),
            ("+74951234567", Some("RU")),
            ("+78001234567", Some("RU")),
            ("+77012345678", Some("KZ")),
            ("+375291234567", Some("BY")),
            // Premium rate at home, satellite, premium abroad, and no number of any plan.
            ("+78091234567", None),
            ("+881612345678", None),
            ("+19005551234", None),
            ("+79991", None),
        ] {
            let phone = Phone::try_from(text.to_owned()).expect(text);
            let found = phone.ordinary_region().map(|region| region.to_string());
            assert_eq!(found.as_deref(), region, "{text}");
        }
    }

    #[test]
    fn a_number_is_dialled_at_home_as_people_dial_it() {
        for (text, dialled) in [
            ("+79161234567", "89161234567"),
            ("+375291234567", "80291234567"),
        ] {
            let phone = Phone::try_from(text.to_owned()).expect(text);
            assert_eq!(phone.national_digits(), dialled);
        }
    }

    #[test]
    fn a_region_is_two_capitals_with_a_plan() {
        assert_eq!("KZ".parse::<Region>().expect("a region").to_string(), "KZ");
        assert!("ru".parse::<Region>().is_err());
        assert!("RUS".parse::<Region>().is_err());
    }
}
