//! Access control lists as Postgres prints them: `grantee=privileges/grantor`.

/// The first entry that grants less in `after`; `None` where nothing was taken away.
pub fn lost(before: Option<&[String]>, after: Option<&[String]>) -> Option<String> {
    let after: Vec<Entry> = after
        .unwrap_or_default()
        .iter()
        .map(|item| Entry::parse(item))
        .collect();
    before
        .unwrap_or_default()
        .iter()
        .find(|item| !Entry::parse(item).is_within(&after))
        .cloned()
}

struct Entry<'a> {
    grantee: &'a str,
    /// A letter each, followed by `*` where the right may be handed on.
    privileges: &'a str,
    grantor: &'a str,
}

impl<'a> Entry<'a> {
    fn parse(item: &'a str) -> Self {
        // A name that is not plain stands in double quotes.
        let equals = outside_quotes(item, '=').unwrap_or(item.len());
        let (grantee, rest) = item.split_at(equals);
        let rest = rest.strip_prefix('=').unwrap_or(rest);
        let (privileges, grantor) = rest.split_once('/').unwrap_or((rest, ""));
        Self {
            grantee,
            privileges,
            grantor,
        }
    }

    fn is_within(&self, entries: &[Entry]) -> bool {
        self.each().all(|(letter, hand_on)| {
            entries
                .iter()
                .filter(|entry| (entry.grantee, entry.grantor) == (self.grantee, self.grantor))
                .any(|entry| {
                    entry
                        .each()
                        .any(|(other, other_hand_on)| other == letter && other_hand_on >= hand_on)
                })
        })
    }

    fn each(&self) -> impl Iterator<Item = (char, bool)> {
        let following = self.privileges.chars().skip(1).chain(std::iter::once(' '));
        self.privileges
            .chars()
            .zip(following)
            .filter(|(c, _)| *c != '*')
            .map(|(c, next)| (c, next == '*'))
    }
}

fn outside_quotes(text: &str, wanted: char) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(at, c)| {
        quoted ^= c == '"';
        (c == wanted && !quoted).then_some(at)
    })
}

#[cfg(test)]
mod tests;
