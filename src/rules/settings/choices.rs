//! What the settings of site requests and of chats have in common.

use crate::model::ids::CrmUserId;

use super::{
    Assign, FieldRule, Filter, PipelineRule, RequestMethod, ResponsibleRule, TagSettings,
    TaskSettings, Template,
};

/// The choices that both kinds have, wherever they are written.
#[derive(Debug, Clone)]
pub(in crate::rules) struct Choices<'s, P> {
    /// Answers for what nobody else answers for.
    pub(in crate::rules) default_responsible: &'s CrmUserId,
    /// How new clients are brought into the CRM.
    pub(in crate::rules) method: &'s RequestMethod,
    /// How known ones are, where that differs.
    pub(in crate::rules) repeat_method: Option<&'s RequestMethod>,
    /// Who answers for what new clients make.
    pub(in crate::rules) assign_to: Option<&'s Assign>,
    /// Who answers for what known ones make.
    pub(in crate::rules) repeat_assign_to: Option<&'s Assign>,
    /// Those of known clients are left alone altogether (S0-10).
    pub(in crate::rules) first_time_only: bool,
    /// Which are processed.
    pub(in crate::rules) filter: Option<&'s Filter<P>>,
    /// Where deals go.
    pub(in crate::rules) pipelines: &'s [PipelineRule<P>],
    /// Who answers for new records.
    pub(in crate::rules) responsible: &'s [ResponsibleRule<P>],
    /// Tags of new records.
    pub(in crate::rules) tags: &'s TagSettings,
    /// The name of a new contact.
    pub(in crate::rules) contact_name: Option<&'s Template>,
    /// The template that the CRM makes it from.
    pub(in crate::rules) contact_template: Option<&'s str>,
    /// The name of a new deal.
    pub(in crate::rules) deal_name: Option<&'s Template>,
    /// Additional fields of the cards.
    pub(in crate::rules) fields: &'s [FieldRule],
    /// The tasks, by their keys.
    pub(in crate::rules) tasks: Vec<(&'static str, Option<&'s TaskSettings>)>,
}

impl<'s, P> Choices<'s, P> {
    /// Returns whom new and known clients' records are given to before any rule, with the keys.
    pub(in crate::rules) fn assigned(&self) -> Vec<(&'static str, &'s Assign)> {
        let both = [
            ("assign_to", self.assign_to),
            ("repeat_assign_to", self.repeat_assign_to),
        ];
        let both = both.into_iter();
        both.filter_map(|(key, assign)| Some((key, assign?)))
            .collect()
    }
}
