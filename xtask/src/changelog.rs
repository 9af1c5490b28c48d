//! Adds entries to the changelog.

use anyhow::{Result, bail};

pub(crate) const CHANGELOG: &str = "CHANGELOG.md";
const UNRELEASED: &str = "## Unreleased";
const WIDTH: usize = 120;

/// Returns the changelog with entries added below "Unreleased", by section; those that it has already are not added
/// again. A new section comes first, as the added entries matter most to users who update.
pub(crate) fn with(text: &str, sections: &[(&str, Vec<String>)]) -> Result<String> {
    let lines = || text.split_inclusive('\n');
    let Some(number) = lines().position(|line| line.trim_end() == UNRELEASED) else {
        bail!("{CHANGELOG} has no {UNRELEASED:?}, below which what changed is to stand");
    };
    let (head, rest) = text.split_at(lines().take(number + 1).map(str::len).sum());
    let (unreleased, tail) = rest.split_at(rest.find("\n## ").map_or(rest.len(), |end| end + 1));
    let there = words(unreleased);
    let mut unreleased = unreleased.to_owned();
    // In reverse, so that new sections keep their order.
    for (title, entries) in sections.iter().rev() {
        let new: String =
            entries.iter().filter(|entry| !there.contains(&words(entry))).map(|entry| wrapped(entry)).collect();
        if new.is_empty() {
            continue;
        }
        let title = format!("### {title}\n\n");
        match unreleased.find(&title) {
            Some(at) => unreleased.insert_str(at + title.len(), &new),
            None => unreleased = format!("\n{title}{new}{unreleased}"),
        }
    }
    if unreleased.trim().is_empty() || tail.is_empty() || unreleased.ends_with("\n\n") {
        return Ok(format!("{head}{unreleased}{tail}"));
    }
    Ok(format!("{head}{unreleased}\n{tail}"))
}

/// Returns the text with single spaces, however it is wrapped.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns an entry as an item of a list.
fn wrapped(entry: &str) -> String {
    let (mut text, mut width) = ("-".to_owned(), 1);
    for word in entry.split_whitespace() {
        let length = word.chars().count() + 1;
        if width + length > WIDTH {
            text.push_str("\n ");
            width = 1;
        }
        text.push(' ');
        text.push_str(word);
        width += length;
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "# Changelog\n\n## Unreleased\n\n### Added\n\n- A thing.\n\n## 0.1.0\n\n### Removed\n\n- Another.\n";

    fn entries(section: &'static str, entry: &str) -> Vec<(&'static str, Vec<String>)> {
        vec![(section, vec![entry.to_owned()])]
    }

    #[test]
    fn entries_go_below_what_is_not_released() -> Result<()> {
        let both = [entries("Removed", "`a` is gone."), entries("Added", "`b` is new.")].concat();
        let once = with(TEXT, &both)?;
        assert_eq!(
            once,
            "# Changelog\n\n## Unreleased\n\n### Removed\n\n- `a` is gone.\n\n### Added\n\n- `b` is new.\n- A thing.\n\n\
             ## 0.1.0\n\n### Removed\n\n- Another.\n"
        );
        assert_eq!(with(&once, &both)?, once, "once is enough");
        let more = with(&once, &entries("Removed", "`c` is gone."))?;
        assert!(more.contains("### Removed\n\n- `c` is gone.\n- `a` is gone.\n"), "{more}");
        Ok(())
    }

    #[test]
    fn a_release_leaves_a_place_for_the_next() -> Result<()> {
        let empty = "## Unreleased\n\n## 0.1.0\n\n### Added\n\n- A thing.\n";
        let text = with(empty, &entries("Added", "A thing."))?;
        assert_eq!(text, "## Unreleased\n\n### Added\n\n- A thing.\n\n## 0.1.0\n\n### Added\n\n- A thing.\n");
        assert!(with("# Changelog\n", &entries("Added", "a")).is_err());
        Ok(())
    }

    #[test]
    fn what_is_long_is_wrapped_and_known_again() -> Result<()> {
        let long = "word ".repeat(60);
        let text = with("## Unreleased\n", &entries("Added", &long))?;
        assert!(text.lines().all(|line| line.len() <= WIDTH) && text.lines().count() > 6, "{text}");
        assert_eq!(with(&text, &entries("Added", &long))?, text);
        Ok(())
    }
}
