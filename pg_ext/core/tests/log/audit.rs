//! The audit of a log in memory: what an attacker changes is found, named, and nothing else is.

mod memory;

use self::memory::{Log, SECOND, kinds};
use ext_registry_core::log::Hash;
use ext_registry_core::log::audit::{
    Audit, Kind, Outside, StoredCheckpoint, StoredTile, TOLERANCE, Twice,
};

/// Three seals: one within the first tile, one within the third, one at the end of the fourth.
fn log() -> Log {
    Log::sealed(&[100, 600, 1024])
}

#[test]
fn an_unchanged_log_has_no_findings_at_any_size() {
    for size in (0..600)
        .step_by(13)
        .chain([1, 255, 256, 257, 512, 65_536, 65_537])
    {
        let log = Log::sealed(&[size / 3, size / 2, size]);
        let (findings, audit) = log.audited(Some(log.kept(1)));
        assert_eq!(findings, [], "{size}");
        assert_eq!((audit.size(), audit.root()), (size, Some(log.tree.root())));
    }
}

#[test]
fn a_changed_row_is_named() {
    for index in [0, 99, 100, 255, 256, 599, 600, 1023] {
        let mut log = log();
        log.change(index);
        let (findings, _) = log.audited(None);
        assert_eq!(kinds(&findings), [(Kind::Changed, Some(index as u64))]);
        assert_eq!(findings[0].version_id, Some(format!("{index:08}")));
    }
}

#[test]
fn a_changed_row_is_named_whatever_else_was_changed_with_it() {
    let index = 300;
    let mut log = log();
    let kept = log.kept(2);
    let record = log.change(index);
    record.leaf = record.row.unwrap().as_bytes().to_vec();
    let at = Some(index as u64);
    assert_eq!(
        log.found(),
        [(Kind::Changed, at), (Kind::LeafChanged, at)],
        "row and leaf"
    );
    let honest = log.checkpoints.clone();
    log.rebuild();
    assert_eq!(log.found(), [], "everything in the database");
    assert_eq!(log.found_with(kept), [(Kind::HistoryRewritten, None)]);
    log.checkpoints = honest;
    let all = [Kind::CheckpointChanged; 2].map(|kind| (kind, None));
    assert_eq!(log.found(), all, "row, leaf and tiles");
}

#[test]
fn a_changed_row_at_the_right_edge_is_not_blamed_on_its_leaf() {
    let mut log = Log::sealed(&[100, 300]);
    log.change(299);
    assert_eq!(log.found(), [(Kind::Changed, Some(299))]);
    let mut log = Log::sealed(&[100, 300]);
    log.records[299].leaf = vec![7; 32];
    assert_eq!(log.found(), [(Kind::LeafChanged, Some(299))]);
    log.change(299);
    assert!(log.found().contains(&(Kind::Changed, Some(299))));
}

#[test]
fn a_changed_leaf_is_told_from_a_changed_row() {
    let mut log = log();
    log.records[10].leaf = vec![7; 32];
    log.records[20].leaf = vec![7; 31];
    log.records[700].leaf.clear();
    assert_eq!(
        log.found(),
        [10, 20, 700].map(|index| (Kind::LeafChanged, Some(index)))
    );
}

#[test]
fn a_removed_row_is_named() {
    let mut log = log();
    log.records[42].row = None;
    log.records[1023].row = None;
    assert_eq!(
        log.found(),
        [42, 1023].map(|index| (Kind::Removed, Some(index)))
    );
    log.records[42].leaf = vec![7; 32];
    let found = log.found();
    assert_eq!(
        found[..2],
        [(Kind::Removed, Some(42)), (Kind::LeafChanged, Some(42))]
    );
}

#[test]
fn missing_leaves_are_found_and_the_rest_is_still_compared() {
    let mut log = log();
    log.records.drain(300..310);
    log.change(900);
    assert_eq!(
        log.found(),
        [(Kind::LeafChanged, None), (Kind::Changed, Some(910))]
    );
}

#[test]
fn missing_leaves_without_a_tile_leave_no_root_to_compare() {
    let mut log = Log::sealed(&[100, 300]);
    let kept = log.kept(1);
    log.records.remove(280);
    let found = [(Kind::LeafChanged, None), (Kind::CheckpointChanged, None)];
    assert_eq!(log.found(), found);
    let (findings, audit) = log.audited(Some(kept));
    assert_eq!(findings.len(), 3);
    assert_eq!(findings[1].kind, Kind::HistoryRewritten);
    assert_eq!(audit.root(), None);
}

#[test]
fn a_leaf_far_away_does_not_keep_the_audit_busy() {
    let mut log = log();
    log.records[1023].index = i64::MAX as u64;
    assert_eq!(log.found()[0], (Kind::LeafChanged, None));
}

#[test]
fn leaves_that_were_swapped_are_reordered() {
    let mut log = log();
    let swap = |log: &mut Log, a: usize, b: usize| {
        (log.records[a].index, log.records[b].index) = (b as u64, a as u64);
    };
    swap(&mut log, 300, 400);
    let reordered = |all: &[u64]| -> Vec<_> {
        all.iter()
            .map(|index| (Kind::Reordered, Some(*index)))
            .collect()
    };
    assert_eq!(log.found(), reordered(&[300, 400]));
    log.rebuild_sorted();
    assert!(log.found().starts_with(&reordered(&[301])), "tiles too");
    let mut log = Log::sealed(&[100, 300]);
    swap(&mut log, 280, 290);
    assert!(log.found().contains(&(Kind::Reordered, Some(281))));
}

#[test]
fn a_second_leaf_of_one_index_is_found() {
    let mut log = log();
    log.records[301].index = 300;
    let found = log.found();
    assert!(found.contains(&(Kind::Reordered, Some(300))), "{found:?}");
    assert!(found.contains(&(Kind::LeafChanged, None)), "{found:?}");
}

#[test]
fn a_changed_tile_is_told_from_changed_rows() {
    let mut log = log();
    log.tiles.get_mut(&(0, 1)).unwrap().hashes[5 * 32] ^= 1;
    let tile = (Kind::TileChanged, None);
    assert_eq!(log.found(), [tile; 2], "its hash, and its leaves");
    let bytes = log.tiles[&(0, 1)].hashes.clone();
    log.tiles.get_mut(&(0, 1)).unwrap().root = Hash::root(&Hash::sequence(&bytes).unwrap())
        .as_bytes()
        .to_vec();
    assert_eq!(log.found(), [tile]);
    log.tiles.remove(&(0, 1));
    assert_eq!(log.found(), [tile]);
    log.tiles.insert(
        (0, 1),
        StoredTile {
            hashes: vec![1; 33],
            root: vec![],
        },
    );
    assert_eq!(log.found(), [tile; 2]);
}

#[test]
fn a_changed_tile_above_the_leaves_is_found() {
    let mut log = Log::sealed(&[100, 65_537]);
    log.tiles.get_mut(&(1, 0)).unwrap().hashes[0] ^= 1;
    assert_eq!(log.found(), [(Kind::TileChanged, None)]);
    log.tiles.remove(&(1, 0));
    assert_eq!(log.found(), [(Kind::TileChanged, None)]);
}

#[test]
fn what_no_seal_has_written_is_named() {
    let mut audit = Audit::new(None, 0);
    let leaf = memory::id("v1");
    for what in [
        "leaf",
        "tile",
        "second tile",
        "checkpoint",
        "second checkpoint",
    ] {
        let what = Outside::from_name(what).unwrap();
        audit.outside(what, Some(0), Some(-7), Some(&leaf));
    }
    audit.outside(Outside::Leaf, None, Some(i64::MAX), Some(&leaf));
    let findings = audit.findings();
    let (tile, checkpoint) = ((Kind::TileChanged, None), (Kind::CheckpointChanged, None));
    assert_eq!(
        kinds(&findings),
        [
            (Kind::LeafChanged, None),
            tile,
            tile,
            checkpoint,
            checkpoint,
            (Kind::LeafChanged, Some(i64::MAX as u64))
        ]
    );
    assert!(
        findings[..5]
            .iter()
            .all(|found| found.message.contains("-7"))
    );
    assert_eq!(findings[0].version_id.as_deref(), Some("v1"));
    assert_eq!(Outside::from_name("end"), None);
}

#[test]
fn what_is_there_twice_is_named() {
    let mut audit = Audit::new(None, 0);
    for what in ["version", "leaf", "bundle", "late bundle"] {
        audit.twice(Twice::from_name(what).unwrap(), &memory::id("v1"));
    }
    let findings = audit.findings();
    assert_eq!(kinds(&findings), [(Kind::SealedTwice, None); 4]);
    assert!(findings.iter().all(|found| found.message.contains("v1")));
    assert_eq!(Twice::from_name("bundles"), None);
}

#[test]
fn a_leaf_that_names_another_version_than_its_row_is_found() {
    let mut log = log();
    log.records[300].row_id = "another".to_owned();
    assert_eq!(log.found(), [(Kind::LeafChanged, Some(300))]);
}

/// Its time is in no hash.
#[test]
fn a_checkpoint_whose_time_was_set_back_is_found() {
    let changed = (Kind::CheckpointChanged, None);
    for position in 0..3 {
        let mut log = log();
        // Seals are two days apart here, and what they seal has been published at once after the one before.
        log.checkpoints[position].sealed_at -= 3 * TOLERANCE + 1;
        assert_eq!(log.found(), [changed], "{position}");
        for no_time in [i64::MIN, i64::MAX] {
            log.checkpoints[position].sealed_at = no_time;
            assert_eq!(log.found(), [changed], "{position}");
        }
    }
    let mut log = log();
    for checkpoint in &mut log.checkpoints {
        checkpoint.sealed_at -= 1000 * TOLERANCE;
    }
    assert_eq!(log.found(), [changed; 3], "all of them alike");
    let mut log = Log::sealed(&[100]);
    log.checkpoints[0].sealed_at = log.records[99].created_at.unwrap() - TOLERANCE;
    assert_eq!(log.found(), [], "a clock that is wrong");
    log.checkpoints[0].sealed_at -= 1;
    assert_eq!(log.found(), [changed]);
}

/// What somebody has dated 9999 says nothing about the seal.
#[test]
fn a_row_whose_time_has_not_come_raises_no_alarm() {
    let mut log = log();
    log.records[99].created_at = Some(i64::MAX - 1);
    log.records[599].created_at = Some(i64::MAX);
    let now = log.time();
    assert_eq!(kinds(&log.audited_at(now).0), []);
}

#[test]
fn a_changed_checkpoint_is_found() {
    let changes: [fn(&mut StoredCheckpoint); 5] = [
        |checkpoint| checkpoint.root[0] ^= 1,
        |checkpoint| checkpoint.root.clear(),
        |checkpoint| checkpoint.size += 1,
        |checkpoint| checkpoint.size = u64::MAX,
        |checkpoint| checkpoint.origin.push('x'),
    ];
    for (position, change) in changes.iter().enumerate() {
        let mut log = log();
        change(&mut log.checkpoints[2]);
        let found = log.found();
        assert!(!found.is_empty(), "{position}");
        assert!(
            found.iter().all(|f| *f == (Kind::CheckpointChanged, None)),
            "{position}: {found:?}"
        );
    }
    let mut log = log();
    log.checkpoints.pop();
    assert_eq!(log.found(), [(Kind::CheckpointChanged, None)], "removed");
}

#[test]
fn what_was_kept_shows_a_shorter_or_another_log() {
    let whole = log();
    let older = Log::sealed(&[100, 600]);
    assert_eq!(
        older.found_with(whole.kept(2)),
        [(Kind::HistoryRewritten, None)]
    );
    assert_eq!(
        Log::default().found_with(whole.kept(0)),
        [(Kind::HistoryRewritten, None)]
    );
    let mut other = whole.clone();
    for checkpoint in &mut other.checkpoints {
        checkpoint.origin = "example.com/other".to_owned();
    }
    assert_eq!(
        other.found_with(whole.kept(1)),
        [(Kind::HistoryRewritten, None)]
    );
}

#[test]
fn what_was_kept_need_not_be_stored_any_more() {
    let mut log = log();
    let kept = log.kept(1);
    log.checkpoints.remove(1);
    // Both seals now look like one, whose rows come in order.
    assert_eq!(log.found_with(kept), []);
}

#[test]
fn the_kept_checkpoint_decides_against_a_rewritten_one() {
    let mut log = log();
    let kept = log.kept(1);
    log.checkpoints[1].root[0] ^= 1;
    log.change(300);
    assert_eq!(
        log.found_with(kept),
        [(Kind::Changed, Some(300)), (Kind::CheckpointChanged, None)]
    );
}

#[test]
fn rows_outside_the_log_are_pending_for_a_day() {
    let mut log = log();
    let sealed_at = log.time();
    log.unlogged = vec![
        Some(sealed_at + SECOND),
        Some(sealed_at - TOLERANCE),
        Some(i64::MAX),
        Some(sealed_at - TOLERANCE - 1),
        Some(i64::MIN),
        None,
    ];
    let (findings, audit) = log.audited(None);
    assert_eq!(kinds(&findings), [(Kind::NotInLog, None); 3]);
    assert_eq!(audit.pending(), 3);
    let never = Log {
        unlogged: vec![None, Some(0)],
        ..Log::default()
    };
    let (findings, audit) = never.audited(None);
    assert_eq!((findings, audit.pending()), (vec![], 2));
}

#[test]
fn a_row_sealed_long_after_its_time_is_backdated() {
    let mut log = Log::sealed(&[100, 600]);
    let sealed_at = log.checkpoints[0].sealed_at;
    log.records[100].created_at = Some(sealed_at - TOLERANCE - 1);
    assert_eq!(log.found(), [(Kind::Backdated, Some(100))]);
    log.records[100].created_at = Some(sealed_at - TOLERANCE);
    assert_eq!(log.found(), []);
    log.records[100].created_at = None;
    assert_eq!(log.found(), [(Kind::Backdated, Some(100))]);
    log.records[100].created_at = Some(sealed_at);
    // Old rows are logged as they are found, in the first seal.
    log.records[0].created_at = None;
    log.records[1].created_at = Some(i64::MIN);
    assert_eq!(log.found(), []);
}

#[test]
fn every_row_changed_is_found_within_bounds() {
    let mut log = Log::sealed(&[100, 70_000]);
    (0..70_000).for_each(|index| {
        log.change(index);
    });
    let found = log.found();
    assert_eq!(found.len(), 70_000);
    assert!(found.iter().all(|(kind, _)| *kind == Kind::Changed));
}
