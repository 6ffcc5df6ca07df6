/// When versions are published: at the clock's time, and within one transaction each later than the one before, even
/// where the clock is set back meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PublishTimes {
    /// The transaction of the last publish, and its time.
    last: Option<(u64, i64)>,
}

impl PublishTimes {
    /// Nothing has been published yet.
    pub const fn new() -> Self {
        Self { last: None }
    }

    /// The time of the next publish. `transaction` is a number that no other one ever has; `now` and the result are in
    /// microseconds. What another transaction has published does not matter.
    pub fn next(&mut self, transaction: u64, now: i64) -> i64 {
        let time = match self.last {
            Some((of, last)) if of == transaction => now.max(last.saturating_add(1)),
            _ => now,
        };
        self.last = Some((transaction, time));
        time
    }
}
