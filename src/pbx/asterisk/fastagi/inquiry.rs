//! Turns an environment into a question.

use std::time::Duration;

use super::environment::Environment;
use super::query;
use crate::model::ids::SourceKey;
use crate::model::question::Question;

/// The one thing that can be asked for.
const SCRIPT: &str = "lookup";

/// Where a dialplan is when it has no dialled number: the start of a context.
const START: &str = "s";

/// An answer that comes later than the shipped dialplans wait (1.2 s) is lost, the default way out
/// that it may name too. So a live question to the CRM ends before, whatever the source permits.
const WITHIN: Duration = Duration::from_secs(1);

/// Why an environment asks nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoQuestion {
    /// Another script than `lookup`.
    Script,
    /// Tenant or source is missing, or cannot be the name of one.
    Source,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inquiry {
    /// The question.
    pub(super) question: Question,
    /// The employee whom an earlier answer named did not answer.
    pub(super) redirect_failed: bool,
}

/// Returns what `agi://HOST/lookup?tenant=T&source=S&did=D&phone=P&redirect_failed=1` asks. The
/// caller is `phone`, else what the channel says; the dialled number is `did`, else the first
/// argument, the channel's, and the place in the dialplan unless that is `s`.
pub(super) fn inquiry(environment: Environment) -> Result<Inquiry, NoQuestion> {
    let Environment {
        request,
        script,
        caller,
        argument,
        dnid,
        extension,
    } = environment;
    let script = script.or_else(|| request.as_deref().map(script_of).map(str::to_owned));
    let (path, pairs) = query::split(script.as_deref().unwrap_or_default());
    if path != SCRIPT {
        return Err(NoQuestion::Script);
    }
    let (mut tenant, mut source, mut did, mut phone) = (None, None, None, None);
    let mut failed = None;
    for (name, value) in pairs {
        let place = match name {
            "tenant" => &mut tenant,
            "source" => &mut source,
            "did" => &mut did,
            "phone" => &mut phone,
            "redirect_failed" => &mut failed,
            _ => continue,
        };
        // The first counts: a number with an `&` in it cannot name another tenant.
        place.get_or_insert(value);
    }
    let (tenant, source) = tenant.zip(source).ok_or(NoQuestion::Source)?;
    let source: SourceKey = format!("{tenant}/{source}")
        .parse()
        .map_err(|_| NoQuestion::Source)?;
    let said = |text: &String| !text.trim().is_empty();
    let question = Question {
        source,
        caller: phone.filter(said).or(caller).unwrap_or_default(),
        did: did
            .filter(said)
            .or(argument)
            .or(dnid)
            .or(extension.filter(|extension| extension != START)),
        within: Some(WITHIN),
    };
    Ok(Inquiry {
        question,
        redirect_failed: failed.as_deref() == Some("1"),
    })
}

/// Returns path and query of `agi://HOST:PORT/path?query`.
fn script_of(request: &str) -> &str {
    let after = request
        .split_once("://")
        .map_or(request, |(_, after)| after);
    after.split_once('/').map_or("", |(_, script)| script)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(script: &str) -> Environment {
        Environment {
            script: Some(script.to_owned()),
            caller: Some("79161234567".to_owned()),
            ..Environment::default()
        }
    }

    /// Returns `source caller did` of what is asked, or why nothing is.
    fn asked(environment: Environment) -> String {
        match inquiry(environment) {
            Ok(Inquiry {
                question,
                redirect_failed,
            }) => {
                assert_eq!(question.within, Some(WITHIN));
                let did = question.did.as_deref().unwrap_or("-");
                let after = if redirect_failed {
                    " after a failure"
                } else {
                    ""
                };
                format!("{} {} {did}{after}", question.source, question.caller)
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_dialled_number_is_the_first_that_is_there() {
        let all = Environment {
            argument: Some("arg".to_owned()),
            dnid: Some("dnid".to_owned()),
            extension: Some("exten".to_owned()),
            ..environment("lookup?tenant=acme&source=office&did=query")
        };
        assert_eq!(asked(all.clone()), "acme/office 79161234567 query");
        let script = Some("lookup?tenant=acme&source=office&did=".to_owned());
        let no_query = Environment { script, ..all };
        assert_eq!(asked(no_query.clone()), "acme/office 79161234567 arg");
        let argument = None;
        let no_argument = Environment {
            argument,
            ..no_query
        };
        assert_eq!(asked(no_argument.clone()), "acme/office 79161234567 dnid");
        let dnid = None;
        let no_dnid = Environment {
            dnid,
            ..no_argument
        };
        assert_eq!(asked(no_dnid.clone()), "acme/office 79161234567 exten");
        let extension = Some("s".to_owned());
        let nothing = Environment {
            extension,
            ..no_dnid
        };
        assert_eq!(asked(nothing), "acme/office 79161234567 -");
    }

    #[test]
    fn a_number_in_the_address_stands_before_the_channels_own_and_keeps_its_plus() {
        let script = "lookup?tenant=acme&source=office&phone=+7%20916";
        assert_eq!(asked(environment(script)), "acme/office +7 916 -");
        let script = "lookup?tenant=acme&source=office&phone=";
        assert_eq!(asked(environment(script)), "acme/office 79161234567 -");
    }

    #[test]
    fn a_call_that_comes_back_is_told_from_a_new_one() {
        for (value, after) in [("1", " after a failure"), ("", ""), ("0", ""), ("yes", "")] {
            let script = format!("lookup?tenant=acme&source=office&redirect_failed={value}");
            let expected = format!("acme/office 79161234567 -{after}");
            assert_eq!(asked(environment(&script)), expected);
        }
    }

    #[test]
    fn an_old_asterisk_that_names_no_script_is_understood_by_the_address() {
        let request = "agi://127.0.0.1:4573/lookup?tenant=acme&source=office".to_owned();
        let old = Environment {
            request: Some(request),
            script: None,
            ..environment("")
        };
        assert_eq!(asked(old), "acme/office 79161234567 -");
    }

    #[test]
    fn a_number_that_carries_parameters_names_no_other_tenant() {
        let script = "lookup?tenant=acme&source=office&phone=7&tenant=other&source=other";
        assert_eq!(asked(environment(script)), "acme/office 7 -");
    }

    #[test]
    fn other_scripts_and_sources_that_cannot_be_ask_nothing() {
        for script in ["", "route?tenant=a&source=b", "lookup/x?tenant=a&source=b"] {
            assert_eq!(inquiry(environment(script)), Err(NoQuestion::Script));
        }
        for script in [
            "lookup",
            "lookup?tenant=acme",
            "lookup?tenant=&source=b",
            "lookup?tenant=a/b&source=c",
            "lookup?tenant=%00&source=c",
        ] {
            assert_eq!(inquiry(environment(script)), Err(NoQuestion::Source));
        }
        assert_eq!(inquiry(Environment::default()), Err(NoQuestion::Script));
    }
}
