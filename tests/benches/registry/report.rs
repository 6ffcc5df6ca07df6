//! The table of ratios.

use std::fmt::Write as _;

use crate::plot::Drawing;
use crate::sessions::Slice;

/// What one part of the measurement gives.
pub struct Part {
    pub rows: Vec<Row>,
    pub drawing: Option<Drawing>,
}

impl From<Vec<Row>> for Part {
    fn from(rows: Vec<Row>) -> Self {
        let drawing = None;
        Self { rows, drawing }
    }
}

/// What a ratio has to reach.
#[derive(Clone, Copy)]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
    /// For comparison only.
    None,
}

impl Target {
    fn is_met(self, ratio: f64) -> &'static str {
        let met = match self {
            Self::AtLeast(target) => ratio >= target,
            Self::AtMost(target) => ratio <= target,
            Self::None => return "",
        };
        if met { "yes" } else { "no" }
    }

    fn show(self) -> String {
        match self {
            Self::AtLeast(target) => format!("≥ {target}"),
            Self::AtMost(target) => format!("≤ {target}"),
            Self::None => String::new(),
        }
    }
}

/// One line of the table.
pub struct Row {
    /// What is compared with what.
    pub work: String,
    /// Sizes, clients, commit mode.
    pub at: String,
    /// The two medians, with their unit.
    pub measured: String,
    pub ratio: f64,
    /// The same, had the CPU time of the backends been all the time that passed; where it was taken.
    pub cpu: Option<f64>,
    pub target: Target,
}

/// All lines, as a Markdown table.
pub fn table(rows: &[Row]) -> String {
    let mut text =
        "| work | at | medians | ratio | CPU | target | met |\n|---|---|---|---|---|---|---|\n"
            .to_owned();
    for row in rows {
        let cpu = row.cpu.map(|cpu| format!("{cpu:.2}")).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.2} | {cpu} | {} | {} |",
            row.work,
            row.at,
            row.measured,
            row.ratio,
            row.target.show(),
            row.target.is_met(row.ratio)
        );
    }
    text
}

/// Compares two lanes, round by round.
pub struct Comparison<'a> {
    pub ours: &'a [Slice],
    pub theirs: &'a [Slice],
}

impl Comparison<'_> {
    /// A line of the table.
    pub fn row(&self, work: &str, at: &str, target: Target) -> Row {
        Row {
            work: work.to_owned(),
            at: at.to_owned(),
            measured: self.medians(),
            ratio: self.throughput(),
            cpu: Some(self.cpu()),
            target,
        }
    }

    /// The same for the time that one client waits, which is what its throughput leaves.
    pub fn latency(&self, work: &str, at: &str, target: Target) -> Row {
        Row {
            measured: format!(
                "{:.0} / {:.0} µs",
                Slice::median_micros(self.ours),
                Slice::median_micros(self.theirs)
            ),
            ratio: 1.0 / self.throughput(),
            cpu: Some(1.0 / self.cpu()),
            ..self.row(work, at, target)
        }
    }

    /// Median of the rounds' ratios of throughput.
    fn throughput(&self) -> f64 {
        self.ratio(Slice::throughput)
    }

    /// The same for the work that a second of the backends' CPU time does.
    fn cpu(&self) -> f64 {
        1.0 / self.ratio(Slice::cpu_per_operation)
    }

    /// Both medians in operations per second.
    fn medians(&self) -> String {
        let median = |slices: &[Slice]| median(slices.iter().map(Slice::throughput).collect());
        format!(
            "{} / {}",
            rate(median(self.ours)),
            rate(median(self.theirs))
        )
    }

    fn ratio(&self, value: impl Fn(&Slice) -> f64) -> f64 {
        let rounds = self.ours.iter().zip(self.theirs);
        median(
            rounds
                .map(|(ours, theirs)| value(ours) / value(theirs))
                .collect(),
        )
    }
}

fn rate(per_second: f64) -> String {
    if per_second >= 1000.0 {
        format!("{:.1} k/s", per_second / 1000.0)
    } else {
        format!("{per_second:.0}/s")
    }
}

/// The middle one; NaN of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}
