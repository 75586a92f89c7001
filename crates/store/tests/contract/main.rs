//! What a store promises, told as stories that are lived on both databases.
//!
//! On SQLite each story is a test of its own, in a directory of its own. On PostgreSQL all stories are one test: they
//! share one server, which the test starts and stops, and have a database each.

mod agents;
mod audit;
mod cast;
mod chain;
mod devices;
mod directory;
mod events;
mod identities;
mod invitations;
mod isolation;
mod life;
mod listing;
mod logins;
mod members;
mod orgs;
mod passes;
mod people;
mod place;
mod policies;
mod quotas;
mod secrets;
mod sessions;
mod storm;
mod tokens;
mod upgrade;
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
    orgs:
        an_organization_reads_back_as_it_was_recorded_and_changed,
        organizations_are_listed_by_slug_found_by_words_and_paged,
        the_figures_of_an_organization_are_its_own,
        nothing_opens_or_wakes_in_an_organization_that_is_closed,
        from_the_moment_it_is_closed_nothing_more_runs,
        sessions_that_nobody_may_run_are_found,
        what_has_a_host_is_found_to_be_put_to_sleep;
    members:
        pages_of_thousands_of_members_join_to_the_whole_list_in_both_orders,
        members_are_found_by_words_role_and_status,
        a_seat_shows_what_its_holder_runs_and_keeps,
        a_seat_that_does_not_hold_lets_nobody_in,
        a_browser_asks_for_whichever_organization_its_person_is_in,
        who_leaves_takes_every_right_along_and_frees_the_address,
        sessions_go_to_an_heir_or_stay_under_the_name_of_who_left,
        nobody_opens_or_wakes_for_somebody_whose_seat_does_not_hold,
        leaving_while_opening_leaves_nothing_that_is_not_found,
        a_new_name_reaches_every_session_of_its_owner,
        one_owner_stays_however_many_go_at_once,
        a_seat_is_changed_only_as_it_was_looked_at,
        seats_that_end_by_themselves_are_found_a_page_at_a_time;
    invitations:
        an_invitation_gives_its_seat_with_all_that_was_said,
        an_invitation_is_used_once_however_many_try,
        fifty_invitations_at_once_promise_the_seats_that_are_left,
        the_same_address_invited_again_has_one_invitation,
        a_link_that_was_withdrawn_or_is_over_or_of_a_closed_organization_gives_no_seat,
        who_has_a_seat_gets_no_second_one,
        a_seat_that_is_given_back_needs_a_free_one,
        a_letter_is_taken_by_one_settled_once_and_forgotten_with_its_secret;
    quotas:
        each_layer_says_where_it_comes_from,
        a_ceiling_is_what_was_set_from_above_and_one_subject_is_read_alone,
        a_person_has_so_many_requests_waiting_and_no_more,
        a_request_is_answered_once_however_many_answer,
        a_hundred_at_once_keep_to_both_bounds;
    storm:
        whatever_people_do_at_once_nobody_waits_in_a_circle,
        addresses_change_while_people_sign_in_and_work;
    upgrade:
        a_database_of_the_first_release_comes_out_right,
        a_directory_from_before_makers_were_remembered_comes_out_right;
    logins:
        a_link_signs_in_one_browser_however_many_try,
        a_link_that_expired_opens_nothing,
        a_login_holds_until_it_expires,
        a_login_is_ended_by_its_person_alone,
        used_links_and_ended_logins_are_forgotten;
    policies:
        what_holds_is_the_newest_of_ones_own_and_of_the_installation,
        of_many_who_save_at_once_one_does,
        saving_narrows_what_is_shared_too_far,
        a_policy_shows_sessions_of_ones_groups_or_of_everybody,
        a_floor_is_saved_beside_whoever_changes_many_sessions;
    tokens:
        a_token_opens_until_it_expires_or_is_revoked,
        nobody_holds_more_tokens_than_the_limit,
        a_token_is_listed_for_and_revoked_by_its_person_alone;
    passes:
        the_passes_of_an_organization_are_its_own_and_their_pages_join;
    devices:
        a_device_is_answered_once_and_given_one_token_however_often_it_asks,
        so_many_devices_wait_and_no_more;
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
    identities:
        a_sign_in_under_way_is_used_once_in_its_time_and_there_are_not_too_many,
        an_identity_is_one_person_however_many_arrive_at_once,
        of_many_who_arrive_at_once_as_many_sit_as_there_are_seats,
        a_provided_seat_changes_with_what_is_said_and_an_address_stays_its_owners,
        one_at_a_time_asks_a_provider_again,
        what_is_kept_goes_with_its_login_however_that_ends,
        a_word_of_a_provider_is_new_once,
        an_identity_that_many_link_at_once_is_one_persons,
        of_two_who_unlink_at_once_one_sees_what_the_other_did,
        what_waits_to_be_linked_is_its_logins_alone_and_used_once_in_its_time,
        what_a_provider_holds_a_login_to_is_found_with_it_and_follows_it,
        a_seat_answers_to_whoever_gave_it;
    directory:
        a_directory_is_known_by_its_token_until_that_ends,
        whoever_makes_a_directorys_token_is_what_they_are_today,
        of_two_who_are_made_at_once_one_gets_the_last_seat,
        one_address_is_one_person_however_it_came,
        users_are_filtered_in_every_way_and_pages_join_to_the_whole,
        who_is_not_active_is_out_and_the_last_owner_stays,
        who_comes_back_is_who_they_were_and_a_stranger_is_not,
        a_group_is_the_directorys_alone_and_a_sign_in_does_not_touch_it,
        a_group_changes_only_as_it_was_looked_at,
        no_directory_reaches_another_organization;
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
        entries_are_read_newest_first_and_pages_join_to_the_whole,
        filters_find_what_they_say_and_nothing_else,
        a_filter_of_very_many_words_still_finds_all,
        who_acts_from_above_is_found_by_name_from_above_alone;
    chain:
        every_way_of_tampering_is_found_and_named,
        of_many_who_append_at_once_no_chain_forks,
        entries_from_before_the_chain_are_chained_at_the_start,
        one_entry_tells_whether_it_is_as_it_was,
        old_entries_go_and_the_chain_holds,
        a_receiver_gets_every_entry_in_order;
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
    let server = match testbed::postgres::Server::start() {
        Ok(server) => server,
        Err(why) => {
            eprintln!("SKIPPED: store contract on PostgreSQL: {why}");
            return;
        }
    };
    let mut failed = Vec::new();
    for (name, story) in STORIES {
        let database = server.database(&name.replace("::", "_").chars().take(60).collect::<String>());
        let place = Place::of(store::Options {
            database_url: Some(database.url().to_owned()),
            ..store::Options::default()
        });
        let began = std::time::Instant::now();
        if tokio::spawn(story(place)).await.is_err() {
            failed.push(name);
        }
        drop(database);
        eprintln!("{name}: {:.1?}", began.elapsed());
    }
    assert!(
        failed.is_empty(),
        "these stories do not hold on PostgreSQL: {failed:#?}"
    );
}
