//! What a store promises, told as stories that are lived on both databases.
//!
//! On SQLite each story is a test of its own, in a directory of its own. On PostgreSQL all stories are one test: they
//! share one server, which the test starts and stops, and have a database each.

mod agents;
mod audit;
mod cast;
mod events;
mod isolation;
mod life;
mod listing;
mod logins;
mod people;
mod place;
mod postgres;
mod secrets;
mod sessions;
mod tokens;
mod usage;

use place::Place;
use std::pin::Pin;

type Story = fn(Place) -> Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! stories {
    ($($noun:ident: $($story:ident),+ $(,)?;)+) => {
        mod on_sqlite {
            $(mod $noun {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $story() {
                    crate::$noun::$story(crate::place::Place::sqlite()).await;
                })+
            })+
        }

        const STORIES: &[(&str, Story)] = &[
            $($((concat!(stringify!($noun), "::", stringify!($story)), |place| Box::pin($noun::$story(place)))),+),+
        ];
    };
}

stories! {
    people:
        the_first_member_is_made_once_however_many_servers_start,
        a_member_is_found_by_address_in_any_case,
        a_member_is_added_once_and_then_changed,
        an_address_belongs_to_one_member_of_an_organization,
        whom_to_ask_is_of_the_role_and_the_organization;
    logins:
        a_link_signs_in_one_browser_however_many_try,
        a_link_that_expired_opens_nothing,
        a_login_holds_until_it_expires,
        a_login_is_ended_by_its_person_alone,
        used_links_and_ended_logins_are_forgotten;
    tokens:
        a_token_opens_until_it_expires_or_is_revoked,
        nobody_holds_more_tokens_than_the_limit,
        a_token_is_listed_for_and_revoked_by_its_person_alone;
    secrets:
        a_secret_is_kept_rotated_bound_and_forgotten,
        one_owner_has_one_secret_of_a_name_and_no_more_than_the_limit,
        a_person_is_given_their_own_their_groups_and_the_organizations,
        who_holds_what_is_known_while_it_runs,
        what_is_sealed_anew_is_what_it_was_and_nothing_newer_is_lost,
        with_a_member_go_their_secrets,
        no_secret_crosses_from_one_organization_to_another;
    sessions:
        a_session_reads_back_as_it_was_recorded,
        a_hundred_at_once_open_no_more_than_the_limit,
        opening_and_waking_share_one_limit,
        an_idempotency_key_opens_one_session_of_one_owner,
        an_id_that_is_taken_is_told,
        a_change_happens_only_in_the_phases_that_it_names,
        of_many_changes_at_once_none_is_lost,
        only_what_does_not_run_wakes,
        what_is_forgotten_is_forgotten_once,
        sessions_are_taken_up_in_order_a_page_at_a_time,
        text_with_a_nul_neither_breaks_nor_is_lost;
    listing:
        pages_join_to_the_whole_list_in_every_order,
        a_cursor_holds_while_sessions_come_and_go,
        a_search_takes_every_letter_literally,
        filters_narrow_by_status_agent_and_owner,
        a_cursor_of_another_list_is_refused,
        a_person_sees_their_own_and_what_is_shared;
    agents:
        an_agent_is_switched_for_one_organization_or_for_all;
    usage:
        a_fact_counts_once,
        sums_are_exact_beyond_one_whole_number,
        hours_tell_what_their_facts_tell,
        bars_and_shares_are_sums_of_the_range;
    events:
        a_reader_who_follows_many_writers_misses_nothing,
        an_event_reaches_those_who_may_read_it,
        what_is_undone_tells_nothing,
        old_events_go_and_the_bounds_tell;
    audit:
        entries_are_read_newest_first_of_one_thing_or_of_all;
    isolation:
        no_question_crosses_from_one_organization_to_another;
    life:
        what_was_acknowledged_is_there_after_a_crash,
        servers_that_start_together_make_one_schema,
        a_schema_newer_than_the_binary_is_refused,
        a_database_locked_by_another_process_is_waited_for_and_then_told,
        a_store_tells_what_it_is;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_story_holds_on_postgresql() {
    let server = match postgres::Server::start() {
        Ok(server) => server,
        Err(why) => {
            eprintln!("SKIPPED: store contract on PostgreSQL: {why}");
            return;
        }
    };
    let mut failed = Vec::new();
    for (name, story) in STORIES {
        let place = server.place(name).await;
        let began = std::time::Instant::now();
        if tokio::spawn(story(place)).await.is_err() {
            failed.push(name);
        }
        eprintln!("{name}: {:.1?}", began.elapsed());
    }
    assert!(
        failed.is_empty(),
        "these stories do not hold on PostgreSQL: {failed:#?}"
    );
}
