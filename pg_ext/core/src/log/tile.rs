/// Hashes of a full tile.
pub const WIDTH: u16 = 1 << HEIGHT;

/// Levels of the tree that a tile spans: C2SP tlog-tiles allows no other.
pub const HEIGHT: u32 = 8;

/// Which hashes: `width` roots of subtrees with 256^`level` leaves each, from subtree 256 × `index` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    pub level: u8,
    pub index: u64,
    /// 1 to 256; less than 256 only at the right edge of a tree.
    pub width: u16,
}

impl Tile {
    /// This tile of a tree with `size` leaves; `None` where that has none.
    pub fn of_tree(level: u8, index: u64, size: u64) -> Option<Self> {
        let before = index.checked_mul(u64::from(WIDTH))?;
        let hashes = subtrees(level, size).checked_sub(before)?;
        let width = hashes.min(u64::from(WIDTH)) as u16;
        (width > 0).then_some(Self {
            level,
            index,
            width,
        })
    }

    /// The tile at the right edge of a level that is not full; `None` where all are.
    pub fn partial_of_tree(level: u8, size: u64) -> Option<Self> {
        let full = subtrees(level.checked_add(1)?, size);
        Self::of_tree(level, full, size)
    }

    /// All tiles of a tree with `size` leaves: level by level, from left to right.
    pub fn all_of_tree(size: u64) -> impl Iterator<Item = Self> {
        (0..=u8::MAX)
            .take_while(move |level| subtrees(*level, size) > 0)
            .flat_map(move |level| (0..).map_while(move |index| Self::of_tree(level, index, size)))
    }

    /// Where a static server has it, below the log's prefix.
    pub fn path(&self) -> String {
        format!("tile/{}/{}", self.level, self.file())
    }

    /// Where a static server has the entries whose hashes are in this tile of level 0.
    pub fn entries_path(&self) -> String {
        format!("tile/entries/{}", self.file())
    }

    /// The index in groups of three digits, so that no directory has more than a thousand names.
    fn file(&self) -> String {
        let mut path = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            path = format!("x{:03}/{path}", rest % 1000);
            rest /= 1000;
        }
        if self.width < WIDTH {
            path.push_str(&format!(".p/{}", self.width));
        }
        path
    }
}

/// How many whole subtrees of 256^`level` leaves a tree has.
fn subtrees(level: u8, size: u64) -> u64 {
    size.checked_shr(u32::from(level) * HEIGHT).unwrap_or(0)
}
