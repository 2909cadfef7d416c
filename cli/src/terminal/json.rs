//! Progress as JSON lines, for scripts. The names are part of the interface.

use serde_json::{Value, json};

use super::gate::{Shown, Sink};
use chatctl_deploy::engine::{DeployEvent, Reporter};

/// Writes one JSON object a line to `out`, each with a `type`.
#[derive(Debug)]
pub(crate) struct JsonLines<W> {
    out: W,
}

impl<W: Sink> JsonLines<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Sink> Reporter for JsonLines<W> {
    fn report(&mut self, event: &DeployEvent) {
        // A reader that has gone is no reason to stop.
        drop(self.out.line(&Shown::json(&value(event))));
    }
}

fn value(event: &DeployEvent) -> Value {
    match event {
        DeployEvent::Started(step) => json!({"type": "started", "step": step}),
        DeployEvent::Compiling { unit, count } => {
            json!({"type": "compiling", "unit": unit, "count": count})
        }
        DeployEvent::Building { name, folder } => {
            json!({"type": "building", "name": name, "crate": folder.display().to_string()})
        }
        DeployEvent::Expecting(resources) => json!({"type": "expecting", "resources": resources}),
        DeployEvent::Notice(text) => json!({"type": "notice", "message": text}),
        DeployEvent::Repeating { stack, cause } => {
            json!({"type": "repeating", "stack": stack, "cause": cause})
        }
        DeployEvent::Silent { service, silence } => {
            json!({"type": "silent", "who": service, "seconds": silence.as_secs()})
        }
        DeployEvent::UnderWay { status, quiet } => {
            json!({"type": "underWay", "status": status, "quietSeconds": quiet.as_secs()})
        }
        DeployEvent::Stack(event) => {
            let mut value = json!({"type": "stackEvent"});
            let fields = serde_json::to_value(event).expect("an event has a JSON form");
            value
                .as_object_mut()
                .expect("it is an object")
                .extend(fields.as_object().cloned().into_iter().flatten());
            value
        }
        DeployEvent::Finished { step, detail, took } => {
            json!({"type": "finished", "step": step, "detail": detail, "milliseconds": took.as_millis() as u64})
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatctl_deploy::engine::Step;
    use chatctl_deploy::stack::progress::StackEvent;
    use expect_test::expect;

    #[test]
    fn every_event_is_one_object_with_a_type() {
        let mut lines = JsonLines::new(String::new());
        for event in [
            DeployEvent::Building {
                name: "handlers".into(),
                folder: "/clone/lambdas".into(),
            },
            DeployEvent::Started(Step::Deploy),
            DeployEvent::Expecting(3),
            DeployEvent::Stack(StackEvent {
                id: "1".into(),
                at: 1.5,
                logical_id: "Api".into(),
                resource_type: "AWS::ApiGatewayV2::Api".into(),
                status: "CREATE_FAILED".into(),
                reason: Some("name taken".into()),
            }),
            DeployEvent::Repeating {
                stack: "chat".into(),
                cause: Box::new(
                    chatctl_deploy::stack::cause::cause(&[StackEvent {
                        id: "2".into(),
                        at: 2.5,
                        logical_id: "Role".into(),
                        resource_type: "AWS::IAM::Role".into(),
                        status: "CREATE_FAILED".into(),
                        reason: Some("Rate exceeded".into()),
                    }])
                    .unwrap(),
                ),
            },
            DeployEvent::Silent {
                service: "AWS",
                silence: std::time::Duration::from_secs(20),
            },
            DeployEvent::UnderWay {
                status: "CREATE_IN_PROGRESS".into(),
                quiet: std::time::Duration::from_secs(60),
            },
            DeployEvent::Finished {
                step: Step::Deploy,
                detail: "done".into(),
                took: std::time::Duration::from_millis(7),
            },
        ] {
            lines.report(&event);
        }
        expect![[r#"
            {"type":"building","name":"handlers","crate":"/clone/lambdas"}
            {"type":"started","step":"deploy"}
            {"type":"expecting","resources":3}
            {"type":"stackEvent","id":"1","at":1.5,"logicalId":"Api","resourceType":"AWS::ApiGatewayV2::Api","status":"CREATE_FAILED","reason":"name taken"}
            {"type":"repeating","stack":"chat","cause":{"logicalId":"Role","resourceType":"AWS::IAM::Role","verb":"created","reason":"Rate exceeded","meaning":"AWS received too many requests at that moment, perhaps from other deployments","remedy":"deploy again in a minute","followers":0}}
            {"type":"silent","who":"AWS","seconds":20}
            {"type":"underWay","status":"CREATE_IN_PROGRESS","quietSeconds":60}
            {"type":"finished","step":"deploy","detail":"done","milliseconds":7}
        "#]]
        .assert_eq(&lines.out);
    }
}
