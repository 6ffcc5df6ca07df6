//! Links between the pages lead somewhere, and the pages keep to their form.

use std::path::Path;

use ext_registry_tests::workspace_root;

use crate::markdown::{Page, page, pages};

/// What stands in the parentheses of `[text](target)`.
fn targets(page: &Page) -> Vec<String> {
    page.prose()
        .iter()
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.to_owned())
        .collect()
}

/// The anchor that a heading gets on the usual sites.
fn anchor(heading: &str) -> String {
    heading
        .trim_start_matches('#')
        .trim()
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        })
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    for from in pages() {
        for target in targets(&from) {
            if target.contains("://") {
                continue;
            }
            let (file, part) = target.split_once('#').unwrap_or((&target, ""));
            let folder = Path::new(&from.name).parent().unwrap_or(Path::new(""));
            let name = match file {
                "" => from.name.clone(),
                file => folder.join(file).display().to_string(),
            };
            assert!(
                workspace_root().join(&name).exists(),
                "{}: {target} does not exist",
                from.name
            );
            if !part.is_empty() {
                let headings = page(&name);
                assert!(
                    headings
                        .prose()
                        .iter()
                        .any(|line| line.starts_with('#') && anchor(line) == part),
                    "{}: {name} has no heading for #{part}",
                    from.name
                );
            }
        }
    }
}

#[test]
fn every_page_is_linked() {
    let all = pages();
    let linked: Vec<String> = all.iter().flat_map(targets).collect();
    for page in &all[1..] {
        let file = page.name.trim_start_matches("doc/");
        assert!(
            linked
                .iter()
                .any(|target| target.split('#').next().is_some_and(|t| t.ends_with(file))),
            "no page links {}",
            page.name
        );
    }
}
