use ext_registry_core::PublishTimes;
use proptest::prelude::*;

#[test]
fn the_clock_tells_the_time() {
    let mut times = PublishTimes::new();
    assert_eq!(times.next(1, 100), 100);
    assert_eq!(times.next(1, 250), 250);
    assert_eq!(times.next(2, 300), 300);
}

#[test]
fn within_a_transaction_a_clock_that_stands_or_is_set_back_does_not() {
    let mut times = PublishTimes::new();
    assert_eq!(times.next(1, 100), 100);
    assert_eq!(times.next(1, 100), 101);
    assert_eq!(times.next(1, -5_000), 102);
    assert_eq!(times.next(1, 103), 103);
    assert_eq!(times.next(1, 200), 200);
}

#[test]
fn nothing_is_left_behind_for_the_next_transaction() {
    let mut times = PublishTimes::new();
    times.next(1, 100);
    times.next(1, 100);
    assert_eq!(times.next(2, 100), 100);
    assert_eq!(times.next(3, 7), 7);
}

#[test]
fn the_end_of_time_is_no_panic() {
    let mut times = PublishTimes::new();
    assert_eq!(times.next(1, i64::MAX), i64::MAX);
    assert_eq!(times.next(1, i64::MIN), i64::MAX);
}

proptest! {
    #[test]
    fn times_of_a_transaction_rise_and_are_never_before_the_clock(clock in prop::collection::vec(-50i64..50, 1..40)) {
        let mut times = PublishTimes::new();
        let mut last = None;
        for now in clock {
            let time = times.next(7, now);
            prop_assert!(time >= now && last.is_none_or(|last| last < time));
            last = Some(time);
        }
    }
}
