use super::*;

#[test]
fn pauses_grow_and_stay_bounded() {
    for attempt in 1..40 {
        let pause = pause(Duration::from_millis(100), attempt);
        assert!(pause >= Duration::from_millis(50), "{pause:?}");
        assert!(pause <= LONGEST_PAUSE.mul_f64(1.5), "{pause:?}");
    }
}
