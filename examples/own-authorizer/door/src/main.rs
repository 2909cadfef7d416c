//! Lets in clients with an invitation: the header `x-invitation`, or in a browser `?invitation=`.

use chat_sdk::{Chat, Decision, Error, Handshake, allow, deny, run_authorizer};

/// Codes, and whose they are. A real chat looks them up, in a table or at its users' service.
const INVITATIONS: [(&str, &str); 2] = [("tom-7391", "Tom"), ("jerry-2846", "Jerry")];

fn main() -> std::process::ExitCode {
    run_authorizer(decide)
}

async fn decide(chat: &Chat, handshake: &Handshake) -> Result<Decision, Error> {
    let header = handshake.header("x-invitation");
    let Some(code) = header.or(handshake.query("invitation")) else {
        return Ok(deny("it comes without an invitation"));
    };
    let Some((_, name)) = INVITATIONS.iter().find(|(known, _)| *known == code) else {
        return Ok(deny("its invitation is unknown"));
    };
    if chat
        .table()
        .read(&format!("banned {name}"))
        .await?
        .is_some()
    {
        return Ok(deny("its user is banned"));
    }
    Ok(allow(*name).with_room("everybody").with_rights(["send"]))
}

#[cfg(test)]
mod tests {
    use chat_sdk::fake::{Attempt, FakeChat};
    use chat_sdk::{Chat, Error, Message, Reply};

    async fn ban(chat: &Chat, message: &Message) -> Result<Reply, Error> {
        let key = format!("banned {}", message.text());
        Ok(chat.table().write(&key, "yes").await?.into())
    }

    #[test]
    fn an_invitation_is_good_for_its_user_who_is_not_banned() {
        let chat = FakeChat::new();
        let with = |code| Attempt::new().with_header("X-Invitation", code);
        let connect = |attempt: Attempt| chat.try_connect(&attempt, super::decide);
        let tom = connect(with("tom-7391")).unwrap();
        assert_eq!(tom.name(), Some("Tom"));
        let by_address = Attempt::new().with_query("invitation", "jerry-2846");
        assert_eq!(connect(by_address).unwrap().name(), Some("Jerry"));
        for refused in [Attempt::new(), with("guessed")] {
            assert_eq!(connect(refused).unwrap_err().status, 403);
        }
        let other_name = with("tom-7391").with_header("msgfrom", "Jerry");
        assert_eq!(connect(other_name).unwrap_err().status, 403);
        chat.send(&tom, "Jerry", ban).unwrap();
        assert_eq!(connect(with("jerry-2846")).unwrap_err().status, 403);
        assert!(chat.logged().contains("banned"), "{}", chat.logged());
    }
}
