use super::lost;

#[test]
fn less_is_found_and_more_is_not() {
    let cases: &[(&[&str], &[&str], bool)] = &[
        (&[], &["app=r/owner"], false),
        (&["app=r/owner"], &["app=r/owner"], false),
        (&["app=r/owner"], &["app=ar/owner", "=r/owner"], false),
        (&["app=r/owner"], &["app=r*/owner"], false),
        (&["app=r*/owner"], &["app=r/owner"], true),
        (&["app=ar/owner"], &["app=r/owner"], true),
        (&["=r/owner"], &["app=r/owner"], true),
        (&["app=r/owner"], &[], true),
        (&["app=r/owner"], &["app=r/other"], true),
        (&["\"a=b/c\"=r/owner"], &["\"a=b/c\"=ar/owner"], false),
        (&["\"a=b/c\"=r/owner"], &["\"a=b\"=ar/owner"], true),
    ];
    for (before, after, less) in cases {
        let [before, after] =
            [before, after].map(|list| list.iter().map(|s| s.to_string()).collect::<Vec<_>>());
        assert_eq!(
            lost(Some(&before), Some(&after)).is_some(),
            *less,
            "{before:?} {after:?}"
        );
    }
    assert_eq!(lost(None, None), None);
}
