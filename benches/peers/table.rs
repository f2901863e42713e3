//! The figures: a table for people and the same rows as JSON.

use std::fmt;
use std::path::Path;

use anyhow::Context;
use serde::Serialize;

use super::sample::Samples;

/// One line.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    /// What was measured; a peer's own figure ends in its short name (`intake_64.redis`).
    pub(crate) name: String,
    /// The figure; nothing where it could not be had.
    pub(crate) value: Option<f64>,
    pub(crate) unit: &'static str,
    /// Beside whom: name and version, or why it was left out.
    pub(crate) peer: Option<String>,
    /// The daemon's figure divided by the peer's: the median over the rounds.
    pub(crate) ratio: Option<f64>,
    /// What the ratio, or without a peer the figure, has to reach; nothing where no goal is set.
    pub(crate) goal: Option<f64>,
    /// (max - min) / median of the rounds; nothing for a single look.
    pub(crate) spread: Option<f64>,
}

/// What stands beside the daemon in a measurement.
pub(crate) struct Beside {
    /// The end of its row's name.
    pub(crate) short: &'static str,
    /// Name and version, or why it was left out.
    pub(crate) peer: String,
    /// Empty when it was left out.
    pub(crate) samples: Samples,
}

/// All rows of a run.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

impl Table {
    /// Adds the daemon's figure alone.
    pub(crate) fn add(&mut self, name: &str, unit: &'static str, samples: &Samples) {
        self.rows.push(Row {
            name: name.to_owned(),
            value: samples.median(),
            unit,
            peer: None,
            ratio: None,
            goal: None,
            spread: samples.spread(),
        });
    }

    /// Adds the daemon's figure beside what it has to reach.
    pub(crate) fn aim(&mut self, name: &str, unit: &'static str, samples: &Samples, goal: f64) {
        self.add(name, unit, samples);
        if let Some(row) = self.rows.last_mut() {
            row.goal = Some(goal);
        }
    }

    /// Adds a row for each peer with the daemon's figure and the ratio, then the peers' figures.
    pub(crate) fn compare(
        &mut self,
        name: &str,
        unit: &'static str,
        samples: &Samples,
        beside: &[Beside],
    ) {
        for peer in beside {
            self.add(name, unit, samples);
            if let Some(row) = self.rows.last_mut() {
                row.peer = Some(peer.peer.clone());
                row.ratio = samples.ratio_to(&peer.samples);
            }
        }
        for peer in beside {
            self.add(&format!("{name}.{}", peer.short), unit, &peer.samples);
        }
    }

    /// Says what the ratios of a row's name have to reach.
    pub(crate) fn aim_ratio(&mut self, name: &str, goal: f64) {
        let rows = self.rows.iter_mut().filter(|row| row.name == name);
        rows.for_each(|row| row.goal = Some(goal));
    }

    /// Writes the rows as a JSON array, making the folder.
    pub(crate) fn write_json(&self, path: &Path) -> anyhow::Result<()> {
        let write = || -> anyhow::Result<()> {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let mut text = serde_json::to_string_pretty(&self.rows)?;
            text.push('\n');
            Ok(std::fs::write(path, text)?)
        };
        write().with_context(|| format!("write {}", path.display()))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads = ["name", "value", "unit", "peer", "ratio", "goal", "spread"];
        let mut lines: Vec<[String; 7]> = vec![heads.map(str::to_owned)];
        lines.extend(self.rows.iter().map(cells));
        let mut widths = [0; 7];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for line in &lines {
            let [name, value, unit, peer, ratio, goal, spread] = line;
            let [w0, w1, w2, w3, w4, w5, w6] = widths;
            writeln!(
                f,
                "{name:<w0$}  {value:>w1$} {unit:<w2$}  {peer:<w3$}  {ratio:>w4$}  {goal:>w5$}  {spread:>w6$}"
            )?;
        }
        Ok(())
    }
}

fn cells(row: &Row) -> [String; 7] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    [
        row.name.clone(),
        or_dash(row.value.map(figure)),
        row.unit.to_owned(),
        row.peer.clone().unwrap_or_default(),
        or_dash(row.ratio.map(|ratio| format!("{ratio:.2}"))),
        or_dash(row.goal.map(figure)),
        or_dash(row.spread.map(|spread| format!("{:.0} %", spread * 100.0))),
    ]
}

/// Three digits say all that such measurements know.
fn figure(value: f64) -> String {
    let decimals = match value.abs() {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}
