//! Finds the name that a misspelt one may mean.

/// Returns the most similar known name, if it is similar enough.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    near(name, known).into_iter().next()
}

/// Returns the known names that are about as similar as the most similar one, which comes first.
pub(crate) fn near<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let name = name.to_lowercase();
    let rank = |known: &str| strsim::levenshtein(&name, &known.to_lowercase());
    let near = |known: &str| {
        2 * rank(known) <= name.chars().count().max(3) || (name.len() > 3 && known.to_lowercase().contains(&name))
    };
    let mut names: Vec<&str> = known.filter(|known| near(known)).collect();
    names.sort_by_key(|known| rank(known));
    names.dedup();
    let best = names.first().map(|nearest| rank(nearest)).unwrap_or_default();
    names.retain(|known| rank(known) <= best + 1);
    names
}
