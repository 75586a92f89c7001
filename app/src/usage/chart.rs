//! One chart: one dimension over time, with the figures behind it as a table.

use super::dimension_words;
use crate::{
    ui::{Glyph, icon},
    words,
};
use domain::{
    Timestamp,
    host::Dimension,
    usage::{Range, Usage},
};
use leptos::prelude::*;

/// The chart's own units; it is stretched to the room it has.
const WIDTH: u64 = 1000;
const HEIGHT: u64 = 100;
/// More bars than this are no chart any more.
const MOST: i64 = 400;

/// One stretch of time and its sum, also where nothing was used.
fn buckets(range: &Range, dimension: Dimension, used: &Usage) -> Vec<(Timestamp, u64)> {
    let width = range.bucket_seconds.max(60) * 1000;
    let first = range.from.millis().div_euclid(width) + 1;
    let last = range.until.millis().div_euclid(width).min(first + MOST);
    (first..=last)
        .map(|number| {
            let at = Timestamp::from_millis(number * width);
            let sum = used
                .bars
                .iter()
                .filter(|bar| bar.dimension == dimension && bar.at == at)
                .map(|bar| bar.quantity)
                .sum();
            (at, sum)
        })
        .collect()
}

#[component]
pub(super) fn Chart(dimension: Dimension, used: Usage) -> impl IntoView {
    let (name, say) = dimension_words(dimension);
    let hourly = used.range.bucket_seconds < 86_400;
    let when = move |at: Timestamp| {
        if hourly {
            format!("{} UTC", &words::clock(at, 0)[..5])
        } else {
            words::short_day(at)
        }
    };
    let buckets = buckets(&used.range, dimension, &used);
    let total: u64 = buckets.iter().map(|(_, sum)| sum).sum();
    let Some((most_at, most)) = buckets.iter().copied().max_by_key(|(_, sum)| *sum) else {
        return ().into_any();
    };
    let told = if total == 0 {
        "Nothing was used in this time.".to_owned()
    } else {
        format!("{} in all; most {} on {}.", say(total), say(most), when(most_at))
            .replace(" on ", if hourly { " at " } else { " on " })
    };
    let count = buckets.len() as u64;
    let slot = WIDTH / count.max(1);
    let gap = (slot / 6).max(1);
    let bars = buckets
        .iter()
        .enumerate()
        .map(|(at, (from, sum))| {
            let height = if *sum == 0 {
                0
            } else {
                (u128::from(*sum) * u128::from(HEIGHT) / u128::from(most.max(1))).max(2) as u64
            };
            let title = format!("{}: {}", when(*from), say(*sum));
            view! {
                <rect
                    class="bar"
                    x=(at as u64 * slot + gap / 2).to_string()
                    y=(HEIGHT - height).to_string()
                    width=(slot - gap).to_string()
                    height=height.to_string()
                >
                    <title>{title}</title>
                </rect>
            }
        })
        .collect_view();
    let ends = buckets
        .first()
        .zip(buckets.last())
        .map(|((first, _), (last, _))| (when(*first), when(*last)));
    view! {
        <figure class="card figure">
            <figcaption>
                <h3>{name}</h3>
                <p class="meta">{told.clone()}</p>
            </figcaption>
            <svg
                class="chart"
                viewBox=format!("0 0 {} {HEIGHT}", slot * count)
                preserveAspectRatio="none"
                role="img"
                aria-label=format!("{name}. {told}")
            >
                <line class="grid" x1="0" y1=HEIGHT.to_string() x2=WIDTH.to_string() y2=HEIGHT.to_string()></line>
                {bars}
            </svg>
            {ends
                .map(|(first, last)| {
                    view! {
                        <p class="meta flex justify-between" aria-hidden="true">
                            <span>{first}</span>
                            <span>{last}</span>
                        </p>
                    }
                })}
            <details class="behind">
                <summary>{icon(Glyph::Right)} "As a table"</summary>
                <div tabindex="0" role="region" aria-label=format!("{name} as a table")>
                    <table class="table">
                        <thead>
                            <tr>
                                <th scope="col">"From"</th>
                                <th scope="col" class="number">{name}</th>
                            </tr>
                        </thead>
                        <tbody>
                            {buckets
                                .into_iter()
                                .map(|(at, sum)| view! { <tr><td>{when(at)}</td><td class="number">{say(sum)}</td></tr> })
                                .collect_view()}
                        </tbody>
                    </table>
                </div>
            </details>
        </figure>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::usage::Bar;

    #[test]
    fn every_stretch_of_time_has_its_bar_even_an_empty_one() {
        let now = Timestamp::from_millis(1_795_341_605_000);
        let range = Range::last_days(now, 7);
        let day = Timestamp::from_millis(1_795_341_605_000 / 86_400_000 * 86_400_000);
        let bar = Bar {
            at: day,
            dimension: Dimension::ComputeCpu,
            quantity: 7,
        };
        let used = Usage {
            range: range.clone(),
            bars: vec![bar],
            shares: Vec::new(),
        };
        let all = buckets(&range, Dimension::ComputeCpu, &used);
        assert_eq!(all.len(), 7);
        assert_eq!(all.last(), Some(&(day, 7)));
        assert_eq!(all.iter().filter(|(_, sum)| *sum == 0).count(), 6);
        assert!(
            buckets(&range, Dimension::Storage, &used)
                .iter()
                .all(|(_, sum)| *sum == 0)
        );
    }
}
