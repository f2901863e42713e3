//! Repeated measurements of one thing: the middle one counts, the spread says how far to trust it.

/// Values of the rounds of one candidate, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// Returns the median; `None` without values.
    pub(crate) fn median(&self) -> Option<f64> {
        let sorted = self.sorted();
        let upper = sorted.get(sorted.len() / 2)?;
        let lower = sorted.get(sorted.len().saturating_sub(1) / 2)?;
        Some((lower + upper) / 2.0)
    }

    /// Returns (max - min) / median; `None` for a single look, which says nothing about it.
    pub(crate) fn spread(&self) -> Option<f64> {
        if self.0.len() < 2 {
            return None;
        }
        let sorted = self.sorted();
        let (min, max) = (sorted.first()?, sorted.last()?);
        Some((max - min) / self.median()?)
    }

    /// Returns the median of the ratios of each round: what disturbed a whole round disturbed
    /// both.
    pub(crate) fn ratio_to(&self, other: &Self) -> Option<f64> {
        let ratios = self.0.iter().zip(&other.0).map(|(own, other)| own / other);
        Self(ratios.collect()).median()
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}
