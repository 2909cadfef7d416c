//! `chatctl cost`

use serde_json::json;

use super::{AwsArgs, Context, Run, StackArgs};
use crate::error::CommandError;
use crate::terminal::Output;
use chat_protocol::limit::MAX_MESSAGE_BYTES;
use chatctl_deploy::aws::named_region;
use chatctl_deploy::stack::cost::prices::SOURCES;
use chatctl_deploy::stack::cost::{Estimate, Item, Usage, estimate};

/// Compute what this chat costs on AWS in a month, from its config and dated list prices
///
/// Makes no request to AWS. The config says which requests follow from people and their messages; the prices are those of the
/// Region as far as they are known, else those of us-east-1. Your bill is what AWS's pages say on the day.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::AT_ONCE)]
pub(super) struct CostArgs {
    /// The people who use it each day
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    people: u32,
    /// The messages that each of them sends in a day
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(0..=100_000))]
    messages_per_day: u32,
    /// The members of each room; messages then take the first route to a room [default: 10, for a chat of rooms]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    room_size: Option<u32>,
    /// The hours that each of them is connected in a day
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=24))]
    hours_per_day: u32,
    /// How often each of them comes in a day, each time for a part of these hours
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    visits_per_day: u32,
    /// The length of a message
    #[arg(long, value_name = "BYTES", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=MAX_BYTES))]
    message_bytes: u32,
    #[command(flatten)]
    aws: AwsArgs,
    #[command(flatten)]
    stack: StackArgs,
}

/// The bytes of a message at most.
const MAX_BYTES: i64 = MAX_MESSAGE_BYTES as i64;

impl Run for CostArgs {
    const ENDS_ANYWHERE: bool = true;

    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let terminal = context.terminal;
        let settings = self.stack.settings(None, Some(&self.aws))?;
        let region = named_region(&settings.aws).await;
        let usage = self.usage();
        let estimate = estimate(&settings, &usage, region.as_deref()).map_err(|error| {
            let hint = error.hint();
            CommandError::usage(error.to_string(), hint)
        })?;
        match terminal.output {
            Output::Json => terminal.result_json(&value(&usage, &estimate)),
            Output::Text => {
                let (table, prose) = text(&estimate);
                terminal.result_text(&usage_in_words(&usage, &estimate));
                terminal.result_line("");
                for line in table {
                    terminal.result_line(&line);
                }
                for paragraph in prose {
                    terminal.result_line("");
                    terminal.result_text(&paragraph);
                }
            }
        }
        Ok(())
    }
}

impl CostArgs {
    fn usage(&self) -> Usage {
        Usage {
            people: self.people,
            messages_per_day: self.messages_per_day,
            room_size: self.room_size,
            hours_per_day: self.hours_per_day,
            visits_per_day: self.visits_per_day,
            message_bytes: self.message_bytes,
        }
    }
}

fn value(usage: &Usage, estimate: &Estimate) -> serde_json::Value {
    let mut value = json!({
        "people": usage.people, "messagesPerDay": usage.messages_per_day,
        "hoursPerDay": usage.hours_per_day, "visitsPerDay": usage.visits_per_day, "messageBytes": usage.message_bytes,
    });
    let mut computed = serde_json::to_value(estimate).expect("an estimate has a JSON form");
    // Sums of binary fractions end in digits that mean nothing.
    let rounded = |value: &mut serde_json::Value| {
        if let Some(number) = value.as_f64() {
            *value = json!((number * 1e6).round() / 1e6);
        }
    };
    rounded(&mut computed["dollarsPerMonth"]);
    rounded(&mut computed["connections"]);
    for item in computed["items"].as_array_mut().into_iter().flatten() {
        rounded(&mut item["dollars"]);
        rounded(&mut item["quantity"]);
    }
    let members = value.as_object_mut().expect("it is an object");
    members.extend(computed.as_object().cloned().into_iter().flatten());
    if let Some((item, share)) = estimate.largest() {
        value["largest"] = json!({
            "service": item.service, "what": item.what, "share": share,
            "mostlyFor": item.mostly_for, "loweredBy": item.lowered_by,
        });
    }
    value
}

/// The table, whose lines are not wrapped, and the sentences below it.
fn text(estimate: &Estimate) -> (Vec<String>, Vec<String>) {
    let rows = estimate.items.iter().map(|item| {
        let (service, what) = (item.service.to_owned(), item.what.to_owned());
        [
            service,
            what,
            quantity(item.quantity),
            dollars(item.dollars),
        ]
    });
    let all = dollars(estimate.dollars_per_month);
    let sum = ["a month".to_owned(), String::new(), String::new(), all];
    let rows: Vec<_> = rows.chain([sum]).collect();
    let widths: [usize; 4] =
        std::array::from_fn(|at| rows.iter().map(|row| row[at].len()).max().unwrap_or(0));
    let table = rows
        .iter()
        .map(|[service, what, quantity, dollars]| {
            let [first, second, third, fourth] = widths;
            format!("{service:<first$}  {what:<second$}  {quantity:>third$}  {dollars:>fourth$}")
        })
        .collect();
    let mut prose = Vec::new();
    if let Some((item, share)) = estimate.largest() {
        prose.push(format!(
            "The largest part is {} ({}), {:.0} %{}. What lowers it: {}.",
            item.what,
            item.service,
            share * 100.0,
            mostly(item),
            item.lowered_by
        ));
    }
    if !estimate.refused.is_empty() {
        let refused = estimate.refused.join("; ");
        prose.push(format!(
            "Part of this is refused: {refused}. What is refused costs less."
        ));
    }
    prose.push(prices(estimate));
    prose.push(format!(
        "Computed with: {}.",
        estimate.assumptions.join("; ")
    ));
    prose.push(format!("Not counted: {}.", estimate.not_counted.join("; ")));
    (table, prose)
}

/// What most of `item` is charged for, where its name does not say so.
fn mostly(item: &Item) -> String {
    let is_shared = ["API Gateway", "Lambda", "table", "logs", "traffic"].contains(&item.service);
    match is_shared && item.what != "connection minutes" {
        true => format!(", mostly for {}", item.mostly_for),
        false => String::new(),
    }
}

fn usage_in_words(usage: &Usage, estimate: &Estimate) -> String {
    let rooms = estimate.room_size.map_or_else(String::new, |members| {
        format!(" to rooms of {}", quantity(f64::from(members)))
    });
    let counted = |number: u32, one: &str, more: &str| {
        let word = if number == 1 { one } else { more };
        format!("{} {word}", quantity(f64::from(number)))
    };
    format!(
        "{} connected for {} a day and sending {}, on route `{}`{rooms}:",
        counted(usage.people, "person,", "people, each"),
        counted(usage.hours_per_day, "hour", "hours"),
        counted(usage.messages_per_day, "message", "messages"),
        estimate.route
    )
}

fn prices(estimate: &Estimate) -> String {
    let (of, day) = (estimate.prices_of, estimate.prices_looked_up);
    let known = format!("Prices are the list prices of {of}, looked up on {day}");
    let pages = SOURCES.map(|(_, page)| page).join(", ");
    match estimate.region.as_deref() {
        Some(region) if region == of => format!("{known}."),
        Some(region) => {
            format!(
                "{known}: those of {region} are not known here, and may differ. AWS has them: {pages}."
            )
        }
        None => format!("{known}, as no Region is set."),
    }
}

/// What is larger has its first digits alone.
const MAX_QUANTITY: f64 = 1e15;

/// In US dollars and cents. What is less than a cent is not shown as nothing.
fn dollars(dollars: f64) -> String {
    match dollars {
        many if many >= MAX_QUANTITY => format!("${many:.1e}"),
        none if none <= 0.0 => "$0.00".to_owned(),
        few if few < 0.005 => "< $0.01".to_owned(),
        some => {
            let cents = format!("{some:.2}");
            let (whole, cents) = cents.split_once('.').unwrap_or((&cents, "00"));
            format!("${}.{cents}", grouped(whole))
        }
    }
}

fn quantity(quantity: f64) -> String {
    match quantity {
        many if many >= MAX_QUANTITY => format!("{many:.1e}"),
        few if few < 10.0 && few.fract() != 0.0 => match few < 0.000_5 {
            true => "< 0.001".to_owned(),
            false => format!("{few:.3}"),
        },
        some => grouped(&format!("{some:.0}")),
    }
}

/// `1234567` as `1,234,567`.
fn grouped(digits: &str) -> String {
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatctl_deploy::config::{Overrides, Settings};
    use expect_test::expect;

    fn settings(toml: &str) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("chatctl.toml"), toml).unwrap();
        Settings::load(folder.path(), Overrides::default()).unwrap()
    }

    #[test]
    fn the_text_has_each_part_the_sum_what_dominates_and_how_to_lower_it() {
        let toml = "[[routes]]\nkey = \"say\"\nreceivers = \"room\"\ntext = \"message\"\n";
        let usage = Usage {
            people: 2_000,
            room_size: Some(50),
            ..Usage::SAMPLE
        };
        let found = estimate(&settings(toml), &usage, Some("eu-west-1")).unwrap();
        let (table, prose) = text(&found);
        let head = usage_in_words(&usage, &found);
        let shown = format!("{head}\n\n{}\n\n{}", table.join("\n"), prose.join("\n\n"));
        expect![[r#"
            2,000 people, each connected for 8 hours a day and sending 50 messages, on route `say` to rooms of 50:

            API Gateway  messages            150,000,000  $150.00
            API Gateway  connection minutes   28,800,000    $7.20
            Lambda       calls                10,097,884    $2.02
            Lambda       GB seconds               83,872    $1.40
            table        write units           4,731,923    $2.96
            table        read units           14,365,961    $1.80
            logs         GB written                1.653    $0.83
            logs         GB kept                   0.771    $0.02
            traffic      GB to clients                27    $2.46
            a month                                       $168.68

            The largest part is messages (API Gateway), 89 %, mostly for messages that are passed on. What lowers it: smaller rooms (`room-size` under `[limits]` bounds them): a message goes out to every member.

            Prices are the list prices of us-east-1, looked up on 2026-11-29: those of eu-west-1 are not known here, and may differ. AWS has them: https://aws.amazon.com/api-gateway/pricing/, https://aws.amazon.com/lambda/pricing/, https://aws.amazon.com/dynamodb/pricing/on-demand/, https://aws.amazon.com/cloudwatch/pricing/, https://aws.amazon.com/ec2/pricing/on-demand/, https://aws.amazon.com/kms/pricing/, https://aws.amazon.com/secrets-manager/pricing/.

            Computed with: a month of 30 days; people who come once a day, on 39 connections of one device: a client replaces one after 8 minutes in which it sent nothing, or two hours; texts of 200 bytes; functions that run for 10 ms, those for rooms for 1 ms a member; log lines of 250 bytes, one in each function of a connection.

            Not counted: the free tier, and discounts; failures and retries, and clients that mean harm; storage of connections and of the handlers: cents."#]].assert_eq(&shown);
    }

    #[test]
    fn without_a_region_the_prices_are_said_to_be_of_us_east_1() {
        let found = estimate(&settings(""), &Usage::SAMPLE, None).unwrap();
        assert_eq!(
            prices(&found),
            "Prices are the list prices of us-east-1, looked up on 2026-11-29, as no Region is set."
        );
        let value = value(&Usage::SAMPLE, &found);
        assert_eq!(value["region"], serde_json::Value::Null);
        assert_eq!(value["largest"]["what"], "connection minutes");
    }

    #[test]
    fn numbers_are_grouped_and_small_sums_are_not_nothing() {
        assert_eq!(dollars(0.0), "$0.00");
        assert_eq!(dollars(0.004), "< $0.01");
        assert_eq!(dollars(0.005), "$0.01");
        assert_eq!(dollars(1_234_567.891), "$1,234,567.89");
        assert_eq!(quantity(0.02794), "0.028");
        assert_eq!(quantity(12_000.0), "12,000");
        assert_eq!(quantity(999.6), "1,000");
    }
}
