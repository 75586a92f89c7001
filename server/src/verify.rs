//! `sandbox audit verify`, in words.

use anyhow::bail;
use domain::{OrgId, audit::Verdict};
use engine::ports::Store;

/// Organizations that are looked up at a time.
const BATCH: u32 = 200;

/// Walks along the chains of all Organizations, or of one, and tells of each with `say`; how many are not whole.
pub async fn verify_audit(
    store: &dyn Store,
    organization: Option<&str>,
    mut say: impl FnMut(&str) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    if let Some(organization) = organization {
        let verdict = store.verify_audit(&OrgId::new(organization)).await?;
        if verdict.entries == 0 && verdict.removed == 0 && verdict.breach.is_none() {
            bail!("There is no audit of an Organization {organization}.");
        }
        say(&told(&verdict))?;
        return Ok(verdict.breach.is_some().into());
    }
    let (mut wrong, mut after) = (0, String::new());
    loop {
        let orgs = store.audited_orgs(&after, BATCH).await?;
        let Some(last) = orgs.last() else { return Ok(wrong) };
        after = last.as_str().to_owned();
        for org in &orgs {
            let verdict = store.verify_audit(org).await?;
            wrong += u64::from(verdict.breach.is_some());
            say(&told(&verdict))?;
        }
    }
}

fn told(verdict: &Verdict) -> String {
    let Verdict {
        org,
        entries,
        removed,
        breach,
    } = verdict;
    match breach {
        Some(breach) => format!("{org}: NOT WHOLE: {breach}; {entries} before it are as they were written."),
        None if *removed > 0 => {
            format!("{org}: whole, {entries} entries; {removed} older ones were removed when their time was over.")
        }
        None => format!("{org}: whole, {entries} entries."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::audit::Breach;

    #[test]
    fn a_verdict_names_the_first_entry_that_is_wrong() {
        let verdict = |removed, breach| Verdict {
            org: OrgId::new("acme"),
            entries: 2,
            removed,
            breach,
        };
        let changed = Breach::Changed { number: 3, position: 9 };
        for (removed, breach, sentence) in [
            (0, None, "acme: whole, 2 entries."),
            (
                7,
                None,
                "acme: whole, 2 entries; 7 older ones were removed when their time was over.",
            ),
            (
                0,
                Some(changed),
                "acme: NOT WHOLE: entry 3 (position 9) was changed after it was written; 2 before it are as they were \
                 written.",
            ),
        ] {
            assert_eq!(told(&verdict(removed, breach)), sentence);
        }
    }
}
