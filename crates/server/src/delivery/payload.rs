//! What receivers are told: the bodies of webhooks and mails. Titles and texts come from runs and may be anything.

use serde_json::{Value as Json, json};
use steplog_protocol::AlertLevel;
use steplog_store::Message;

/// Longest text in a chat message, in characters: Discord takes 4,096 in all.
const MAX_CHAT_CHARACTERS: usize = 3000;

/// Words that call everybody when they stand behind an `@`.
const CALLS: [&str; 4] = ["channel", "everyone", "here", "all"];

/// The page of a message's run, or of what it is a test of.
pub(super) fn url(public_url: &str, message: &Message) -> String {
    match (&message.project, &message.run) {
        (Some(project), Some((run, _))) => format!("{public_url}/{}/{project}/runs/{run}", message.entity),
        (Some(project), None) => format!("{public_url}/{}/{project}", message.entity),
        _ => format!("{public_url}/"),
    }
}

/// `entity/project`, or the entity alone.
pub(super) fn place(message: &Message) -> String {
    match &message.project {
        Some(project) => format!("{}/{project}", message.entity),
        None => message.entity.clone(),
    }
}

/// The body of a generic webhook; `docs/alerts.md` describes it.
pub(super) fn webhook(public_url: &str, message: &Message) -> Json {
    json!({
        "type": if message.alert.is_some() { "alert" } else { "test" },
        "id": message.id,
        "level": message.level,
        "title": message.title,
        "text": message.text,
        "time": message.time,
        "entity": message.entity,
        "project": message.project,
        "run": message.run.as_ref().map(|(id, name)| json!({ "id": id, "name": name, "url": url(public_url, message) })),
    })
}

/// A message for Slack, and for what takes the same: an attachment, for blocks are known to Slack alone.
pub(super) fn slack(public_url: &str, message: &Message) -> Json {
    let (colour, mark) = match message.level {
        AlertLevel::Info => ("#3b82f6", "ℹ️"),
        AlertLevel::Warn => ("#f59e0b", "⚠️"),
        AlertLevel::Error => ("#dc2626", "🚨"),
    };
    let title = chat_text(&one_line(&message.title));
    let run = message.run.as_ref().map(|(id, name)| if name.is_empty() { id } else { name });
    let footer = match run {
        Some(run) => format!("{} · {}", place(message), chat_text(&one_line(run))),
        None => place(message),
    };
    json!({
        "text": format!("{mark} {}: {title}", message.level.as_str()),
        "attachments": [{
            "color": colour,
            "fallback": format!("{}: {title}", message.level.as_str()),
            "title": title,
            "title_link": url(public_url, message),
            "text": chat_text(&shortened(&message.text, MAX_CHAT_CHARACTERS)),
            "footer": footer,
            "ts": message.time as i64,
            // The text is plain: what a run says is no markup.
            "mrkdwn_in": [],
        }],
    })
}

/// The subject of a mail: one line.
pub(super) fn subject(message: &Message) -> String {
    let run = message.run.as_ref().map(|(id, name)| if name.is_empty() { id } else { name });
    let run = run.map_or_else(|| place(message), |run| shortened(&one_line(run), 80));
    format!("[{}] {} · {run}", message.level.as_str(), one_line(&message.title))
}

/// The plain half of a mail.
pub(super) fn plain_mail(public_url: &str, message: &Message) -> String {
    let run = message.run.as_ref().map(|(id, name)| format!("\nRun:     {} ({id})", one_line(name)));
    format!(
        "{}\n\n{}\n\nLevel:   {}\nProject: {}{}\n{}\n",
        message.title,
        message.text,
        message.level.as_str(),
        place(message),
        run.unwrap_or_default(),
        url(public_url, message)
    )
}

/// The half of a mail that looks better: inline styles, for that is what mail programs know.
pub(super) fn html_mail(public_url: &str, message: &Message) -> String {
    let colour = match message.level {
        AlertLevel::Info => "#2563eb",
        AlertLevel::Warn => "#b45309",
        AlertLevel::Error => "#dc2626",
    };
    let run = message.run.as_ref().map_or_else(String::new, |(_, name)| format!(" · {}", escaped(name)));
    format!(
        "<!doctype html><html><body style=\"margin:0;padding:24px;background:#f4f4f5;font-family:system-ui,-apple-system,\
         'Segoe UI',sans-serif;color:#18181b\"><div style=\"max-width:560px;margin:0 auto;background:#ffffff;border:1px \
         solid #e4e4e7;border-left:4px solid {colour};border-radius:6px;padding:20px 24px\"><div style=\"font-size:12px;\
         font-weight:600;color:{colour}\">{level}</div><div style=\"font-size:18px;font-weight:600;margin:4px 0 12px\">\
         {title}</div><div style=\"font-size:14px;line-height:1.5;white-space:pre-wrap\">{text}</div><div \
         style=\"font-size:13px;color:#71717a;margin-top:16px\">{place}{run}</div><div style=\"margin-top:16px\"><a \
         href=\"{url}\" style=\"font-size:14px;color:#2563eb\">Open in steplog</a></div></div></body></html>",
        level = message.level.as_str(),
        title = escaped(&message.title),
        text = escaped(&message.text),
        place = escaped(&place(message)),
        url = escaped(&url(public_url, message)),
    )
}

/// Control characters become spaces, line breaks among them.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect()
}

fn shortened(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Text that chat programs show as it is: no links and mentions in `<…>`, and nobody is called.
fn chat_text(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut parts = escaped.split('@');
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let calls =
            CALLS.iter().any(|word| part.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)));
        result += if calls { "@\u{200b}" } else { "@" };
        result += part;
    }
    result
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message {
            id: "0123".into(),
            alert: Some(7),
            time: 1000.5,
            level: AlertLevel::Error,
            title: "loss <b>is</b> NaN".into(),
            text: "at step 3 & later\n<!channel> @Everyone, ask ada@here.org or @ada".into(),
            entity: "ada".into(),
            project: Some("digits".into()),
            run: Some(("r1".into(), "calm\r\nBcc: eve@example.org".into())),
        }
    }

    #[test]
    fn a_webhook_has_everything_as_it_is() {
        assert_eq!(
            webhook("https://log.example", &message()),
            json!({
                "type": "alert", "id": "0123", "level": "ERROR", "title": "loss <b>is</b> NaN",
                "text": "at step 3 & later\n<!channel> @Everyone, ask ada@here.org or @ada", "time": 1000.5,
                "entity": "ada", "project": "digits",
                "run": { "id": "r1", "name": "calm\r\nBcc: eve@example.org", "url": "https://log.example/ada/digits/runs/r1" },
            })
        );
        let test = Message { alert: None, run: None, project: None, ..message() };
        assert_eq!((&webhook("", &test)["type"], &webhook("", &test)["run"]), (&json!("test"), &Json::Null));
        assert_eq!(url("https://log.example", &test), "https://log.example/");
    }

    #[test]
    fn in_a_chat_nothing_is_markup_and_nobody_is_called() {
        let json = slack("https://log.example", &message());
        let attachment = &json["attachments"][0];
        assert_eq!(json["text"], "🚨 ERROR: loss &lt;b&gt;is&lt;/b&gt; NaN");
        assert_eq!(
            attachment["text"],
            "at step 3 &amp; later\n&lt;!channel&gt; @\u{200b}Everyone, ask ada@\u{200b}here.org or @ada"
        );
        assert_eq!(attachment["footer"], "ada/digits · calm  Bcc: eve@example.org");
        assert_eq!(attachment["title_link"], "https://log.example/ada/digits/runs/r1");
        let long = Message { text: "é".repeat(4000), ..message() };
        let text = slack("", &long)["attachments"][0]["text"].as_str().map(|text| text.chars().count());
        assert_eq!(text, Some(MAX_CHAT_CHARACTERS + 1));
    }

    #[test]
    fn a_subject_is_one_line_and_html_is_escaped() {
        assert_eq!(subject(&message()), "[ERROR] loss <b>is</b> NaN · calm  Bcc: eve@example.org");
        let html = html_mail("https://log.example", &Message { title: "<script>\"".into(), ..message() });
        assert!(html.contains("&lt;script&gt;&quot;") && !html.contains("<script"), "{html}");
    }
}
