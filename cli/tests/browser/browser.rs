//! The browser that a test's windows belong to: Chromium, unless the test is one of those that are played in Firefox, too.

use std::cell::Cell;

use crate::chromium::Chromium;
use crate::firefox::Firefox;
use crate::window::Window;

#[expect(clippy::large_enum_variant, reason = "a test has a handful of them")]
pub(crate) enum Browser {
    Chromium(Chromium),
    Firefox(Firefox),
}

thread_local! {
    /// Whether this thread's test is played in Firefox.
    static IN_FIREFOX: Cell<bool> = const { Cell::new(false) };
}

impl Browser {
    pub(crate) fn start() -> Self {
        match IN_FIREFOX.get() {
            true => Self::Firefox(Firefox::start()),
            false => Self::Chromium(Chromium::start()),
        }
    }

    pub(crate) fn blank(&mut self) -> Window {
        match self {
            Self::Chromium(browser) => browser.blank(),
            Self::Firefox(browser) => browser.blank(),
        }
    }

    /// A new window that shows `url`.
    pub(crate) fn window(&mut self, url: &str) -> Window {
        let mut window = self.blank();
        window.visit(url);
        window
    }
}

/// Tests of this program that are played in Firefox, too.
macro_rules! in_firefox {
    ($($module:ident :: $test:ident;)*) => {
        mod in_firefox {
            $(
                #[test]
                fn $test() {
                    super::IN_FIREFOX.set(true);
                    crate::$module::$test();
                }
            )*
        }
    };
}

in_firefox! {
    friends::two_windows_opened_by_their_links_talk_within_the_page_s_policy;
    friends::a_reloaded_window_goes_on_under_its_name_and_one_that_was_disconnected_stays_so;
    friends::markup_in_a_message_and_in_a_name_stays_text;
    friends::everything_works_by_keyboard_alone;
    friends::a_name_that_no_chat_takes_is_refused_before_anything_is_tried;
    history::the_last_page_is_there_on_arrival_and_earlier_ones_on_scroll_up;
    history::what_was_missed_is_shown_once_and_in_order_after_a_reconnect;
    history::an_own_message_is_deleted_by_two_presses_and_its_text_is_gone_everywhere;
    history::who_is_here_is_listed_for_everybody;
    limits::an_error_of_the_gateway_is_an_error_and_not_a_user_s_words;
    limits::what_a_backend_or_a_gateway_sends_is_distinguished_from_what_people_say;
    limits::a_handshake_that_is_refused_says_so_backs_off_and_can_be_corrected;
    looks::on_a_phone_everything_fits_in_every_state;
    reconnecting::a_stack_that_dies_and_comes_back_finds_its_windows_again;
    reconnecting::it_reconnects_by_itself;
    reconnecting::a_quiet_connection_is_replaced_before_the_idle_limit_without_loss;
    reconnecting::a_replacement_that_fails_leaves_the_connection_as_it_is;
    rooms::three_windows_receive_one_another_and_an_own_message_that_comes_back_is_shown_once;
    rooms::in_envelopes_messages_have_names_and_an_own_one_tells_if_it_was_received;
    rooms::a_handlers_error_is_shown_as_one_and_a_message_that_never_came_back_is_marked;
    tokens::links_of_the_command_bring_tokens_that_renew_themselves_and_no_message_is_lost;
    tokens::a_page_without_new_tokens_asks_for_one_and_sends_what_was_refused;
}
