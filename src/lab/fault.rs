//! Scripted faults of a simulated service: which request goes wrong, and how.
//!
//! A plan is a list of rules. The decision about a request depends on the seed, the rule and the
//! request's ordinal only, so one seed is one fault plan whatever the timing. The plan decides;
//! the server that owns the socket carries out.

use serde::{Deserialize, Serialize};

/// The most rules that one plan holds; scripts use a handful.
const RULES_MAX: usize = 1_000;

/// What goes wrong with one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// The effect happens; the answer comes so many milliseconds later.
    LateAfter { ms: u64 },
    /// The effect happens; the connection is closed without an answer.
    LostAfter,
    /// The connection is closed; nothing happens.
    RefusedBefore,
    /// This status; nothing happens.
    ErrorBefore { status: u16 },
    /// The effect happens; the answer is this status.
    ErrorAfter { status: u16 },
    /// 429; nothing happens.
    TooManyRequests { retry_after_s: Option<u32> },
    /// 403 with a problem body: no rights; nothing happens.
    ForbiddenJson,
    /// 403 with the page of the rate limiter; nothing happens.
    BlockedHtml,
    /// 401 as for a token that has expired; nothing happens.
    ExpiredToken,
    /// The effect happens; the body comes in small chunks with pauses.
    SlowDrip { chunk_bytes: usize, pause_ms: u64 },
    /// The effect happens; the body ends in the middle.
    TruncatedJson,
    /// The effect happens; the answer is 200 with a page instead of JSON.
    HtmlInsteadOfJson,
    /// Only the first half of the items of an array body takes effect; the answer is this status.
    PartialBatch { status: u16 },
}

impl Fault {
    /// Returns the name used in logs and counters.
    pub fn name(&self) -> &'static str {
        match self {
            Fault::LateAfter { .. } => "late_after",
            Fault::LostAfter => "lost_after",
            Fault::RefusedBefore => "refused_before",
            Fault::ErrorBefore { .. } => "error_before",
            Fault::ErrorAfter { .. } => "error_after",
            Fault::TooManyRequests { .. } => "too_many_requests",
            Fault::ForbiddenJson => "forbidden_json",
            Fault::BlockedHtml => "blocked_html",
            Fault::ExpiredToken => "expired_token",
            Fault::SlowDrip { .. } => "slow_drip",
            Fault::TruncatedJson => "truncated_json",
            Fault::HtmlInsteadOfJson => "html_instead_of_json",
            Fault::PartialBatch { .. } => "partial_batch",
        }
    }
}

/// Which of the matching requests a rule strikes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum When {
    /// Every one.
    Always,
    /// The n-th matching request only, counted from 1.
    Nth { n: u64 },
    /// The first n matching requests.
    First { n: u64 },
    /// Each k-th matching request.
    Every { k: u64 },
    /// So many of a thousand, chosen by seed and ordinal.
    Chance { per_mille: u32 },
}

/// One rule of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The method, or none for every method.
    #[serde(default)]
    pub method: Option<String>,
    /// The path, where `*` stands for any run of characters. The query is not part of it.
    pub path: String,
    /// Which matching requests.
    pub when: When,
    /// What happens; of several, one is chosen by seed and ordinal.
    pub faults: Vec<Fault>,
}

impl Rule {
    /// A rule for one fault; an empty method stands for every method.
    pub fn new(method: &str, path: &str, when: When, fault: Fault) -> Self {
        Self {
            method: (!method.is_empty()).then(|| method.to_owned()),
            path: path.to_owned(),
            when,
            faults: vec![fault],
        }
    }
}

/// Why a rule was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleRefused {
    /// A rule without a fault does nothing.
    #[error("rule names no fault")]
    NoFault,
    /// `every` with zero never strikes.
    #[error("rule strikes every 0th request; give at least 1")]
    EveryZero,
    /// The plan is full.
    #[error("plan holds {RULES_MAX} rules already; clear it")]
    Full,
}

#[derive(Debug, Clone)]
struct Armed {
    rule: Rule,
    matched: u64,
    struck: u64,
}

/// A rule with what it did so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleState {
    /// The rule.
    pub rule: Rule,
    /// Requests that matched method and path.
    pub matched: u64,
    /// Requests that it struck.
    pub struck: u64,
}

/// The faults to come.
#[derive(Debug, Clone, Default)]
pub struct FaultPlan {
    seed: u64,
    rules: Vec<Armed>,
}

impl FaultPlan {
    /// Returns an empty plan with this seed.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            rules: Vec::new(),
        }
    }

    /// Adds a rule at the end. The first rule that strikes wins.
    pub fn add(&mut self, rule: Rule) -> Result<(), RuleRefused> {
        if rule.faults.is_empty() {
            return Err(RuleRefused::NoFault);
        }
        if rule.when == (When::Every { k: 0 }) {
            return Err(RuleRefused::EveryZero);
        }
        if self.rules.len() >= RULES_MAX {
            return Err(RuleRefused::Full);
        }
        self.rules.push(Armed {
            rule,
            matched: 0,
            struck: 0,
        });
        Ok(())
    }

    /// Forgets every rule.
    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// Returns the rules and what they did.
    pub fn state(&self) -> Vec<RuleState> {
        let state = |armed: &Armed| RuleState {
            rule: armed.rule.clone(),
            matched: armed.matched,
            struck: armed.struck,
        };
        self.rules.iter().map(state).collect()
    }

    /// Decides about one request. Every rule that matches counts it, also behind the one that
    /// strikes, so that rules do not shift each other's ordinals.
    pub fn decide(&mut self, ordinal: u64, method: &str, path: &str) -> Option<Fault> {
        let mut chosen = None;
        for (index, armed) in self.rules.iter_mut().enumerate() {
            let rule = &armed.rule;
            if rule.method.as_deref().is_some_and(|m| m != method) || !matches(&rule.path, path) {
                continue;
            }
            armed.matched += 1;
            let dice = mix(self.seed ^ mix(index as u64) ^ mix(ordinal.rotate_left(32)));
            let strikes = match rule.when {
                When::Always => true,
                When::Nth { n } => armed.matched == n,
                When::First { n } => armed.matched <= n,
                When::Every { k } => armed.matched.checked_rem(k) == Some(0),
                When::Chance { per_mille } => dice % 1_000 < u64::from(per_mille),
            };
            if strikes && chosen.is_none() {
                armed.struck += 1;
                let choices = rule.faults.len().max(1) as u64;
                let choice = usize::try_from((dice / 1_000) % choices).unwrap_or(0);
                chosen = rule.faults.get(choice).cloned();
            }
        }
        chosen
    }
}

/// Returns whether `path` fits `pattern`, where `*` stands for any run of characters.
fn matches(pattern: &str, path: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| path.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

/// Spreads a number over 64 bits (the finaliser of splitmix64).
pub(super) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storm(seed: u64) -> FaultPlan {
        let mut plan = FaultPlan::new(seed);
        plan.add(Rule {
            method: None,
            path: "*".into(),
            when: When::Chance { per_mille: 300 },
            faults: vec![Fault::LostAfter, Fault::RefusedBefore, Fault::TruncatedJson],
        })
        .unwrap();
        plan
    }

    fn strikes(plan: &mut FaultPlan, ordinals: impl Iterator<Item = u64>) -> Vec<(u64, Fault)> {
        ordinals
            .filter_map(|n| plan.decide(n, "GET", "/x").map(|fault| (n, fault)))
            .collect()
    }

    #[test]
    fn one_seed_is_one_plan_by_ordinal_whatever_the_order_of_asking() {
        let forward = strikes(&mut storm(7), 1..=1_000);
        let mut backward = strikes(&mut storm(7), (1..=1_000).rev());
        backward.reverse();
        assert_eq!(forward, backward);
        assert_ne!(forward, strikes(&mut storm(8), 1..=1_000));
    }

    #[test]
    fn chance_strikes_about_as_often_as_it_says_and_uses_every_fault() {
        let struck = strikes(&mut storm(1), 1..=10_000);
        assert!((2_800..3_200).contains(&struck.len()), "{}", struck.len());
        for fault in [Fault::LostAfter, Fault::RefusedBefore, Fault::TruncatedJson] {
            assert!(struck.iter().filter(|(_, f)| *f == fault).count() > 800);
        }
    }

    #[test]
    fn rules_by_count_strike_the_requests_they_name() {
        for (when, expected) in [
            (When::Nth { n: 3 }, vec![3]),
            (When::First { n: 2 }, vec![1, 2]),
            (When::Every { k: 4 }, vec![4, 8]),
            (When::Always, (1..=9).collect()),
        ] {
            let mut plan = FaultPlan::new(0);
            plan.add(Rule::new("GET", "/x", when.clone(), Fault::LostAfter))
                .unwrap();
            let struck: Vec<u64> = strikes(&mut plan, 1..=9).iter().map(|(n, _)| *n).collect();
            assert_eq!(struck, expected, "{when:?}");
        }
    }

    #[test]
    fn paths_match_by_star() {
        for (pattern, path, expected) in [
            ("/api/v4/contacts", "/api/v4/contacts", true),
            ("/api/v4/contacts", "/api/v4/contacts/7", false),
            ("/api/v4/*/notes", "/api/v4/contacts/7/notes", true),
            ("*/notes", "/api/v4/leads/notes", true),
            ("/api/*", "/oauth2/access_token", false),
            ("*", "/anything", true),
            ("/a/*/c/*", "/a/b/c/d", true),
            ("/a/*/c/*", "/a/b/d", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_rule_that_cannot_strike_is_refused() {
        let mut plan = FaultPlan::new(0);
        let every_zero = Rule::new("", "*", When::Every { k: 0 }, Fault::LostAfter);
        assert_eq!(plan.add(every_zero), Err(RuleRefused::EveryZero));
        let mut empty = Rule::new("", "*", When::Always, Fault::LostAfter);
        empty.faults.clear();
        assert_eq!(plan.add(empty), Err(RuleRefused::NoFault));
    }
}
