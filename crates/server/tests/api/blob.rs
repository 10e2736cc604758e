//! Blobs over HTTP: parts in any order, packs, and bytes that are nobody else's business.

use std::thread;

use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use crate::support::{Answer, Client, Journal, TestServer, error};

pub(crate) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Blobs as they travel in one request.
pub(crate) fn pack(blobs: &[&[u8]]) -> Vec<u8> {
    let mut pack = Vec::new();
    for bytes in blobs {
        pack.extend(Sha256::digest(bytes));
        pack.extend((bytes.len() as u32).to_le_bytes());
        pack.extend(*bytes);
    }
    pack
}

pub(crate) fn post_pack(client: &Client, entity: &str, pack: Vec<u8>) -> Answer {
    client.send("POST", &format!("/blobs/{entity}"), "application/vnd.steplog.blobs", pack)
}

fn send_part(client: &Client, entity: &str, whole: &[u8], range: std::ops::Range<usize>) -> Answer {
    let path = format!("/blobs/{entity}/{}?offset={}&size_bytes={}", hash(whole), range.start, whole.len());
    client.send("PUT", &path, "application/octet-stream", whole[range].to_vec())
}

fn missing(client: &Client, entity: &str, blobs: &[&[u8]]) -> Json {
    let hashes: Vec<String> = blobs.iter().map(|bytes| hash(bytes)).collect();
    let answer = client.post(&format!("/blobs/{entity}/missing"), &json!({ "sha256": hashes }));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["missing"].take()
}

fn noise(seed: u32, count: u32) -> Vec<u8> {
    (0..count).map(|number| (number.wrapping_mul(number).wrapping_add(seed.wrapping_mul(number)) >> 7) as u8).collect()
}

#[test]
fn parts_come_in_any_order_and_all_at_once() {
    let server = TestServer::start();
    // Larger than what may be ahead of its turn, of which a server holds only so many.
    let whole = noise(1, 60 << 20);
    let size = 4 << 20;
    let offsets: Vec<usize> = (0..whole.len()).step_by(size).collect();
    let mut answers: Vec<(u16, Json)> = thread::scope(|scope| {
        let sent = offsets.iter().rev().map(|offset| {
            let (client, whole) = (server.client(), &whole);
            scope.spawn(move || send_part(&client, "local", whole, *offset..(offset + size).min(whole.len())))
        });
        let sent: Vec<_> = sent.collect();
        sent.into_iter()
            .map(|sent| sent.join().expect("an answer"))
            .map(|answer| (answer.status, answer.json()))
            .collect()
    });
    // The last part of the blob was begun first, and was answered last.
    assert_eq!(answers.remove(0), (200, json!({ "received_bytes": whole.len(), "complete": true })));
    answers.reverse();
    let expected: Vec<_> =
        (1..offsets.len()).map(|count| (200, json!({ "received_bytes": count * size, "complete": false }))).collect();
    assert_eq!(answers, expected);
    assert_eq!(missing(&server.client(), "local", &[&whole]), json!([]));
}

#[test]
fn a_part_whose_turn_does_not_come_is_answered_with_where_to_go_on() {
    let server = TestServer::start();
    let client = server.client();
    let whole = noise(2, 48 << 20);
    let first = send_part(&client, "local", &whole, 0..1000);
    assert_eq!(first.json(), json!({ "received_bytes": 1000, "complete": false }));
    // Near enough to be read, and too far.
    let answers = thread::scope(|scope| {
        let sent = [2000..3000, 47 << 20..48 << 20].map(|range| {
            let (client, whole) = (server.client(), &whole);
            scope.spawn(move || send_part(&client, "local", whole, range))
        });
        sent.map(|sent| sent.join().expect("an answer")).map(|answer| (answer.status, answer.json()))
    });
    let waited = (409, json!({ "received_bytes": 1000, "complete": false }));
    assert_eq!(answers, [waited.clone(), waited]);
}

#[test]
fn many_small_blobs_come_in_one_request() {
    let server = TestServer::start();
    let client = server.client();
    let many: Vec<Vec<u8>> = (0..500).map(|number| noise(number, number * 20)).collect();
    let many: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
    assert_eq!(missing(&client, "local", &many).as_array().map(Vec::len), Some(500));
    let answer = post_pack(&client, "local", pack(&many));
    assert_eq!((answer.status, answer.json()), (200, json!({ "count": 500 })));
    let absent = b"not sent".as_slice();
    let expected = json!([{ "sha256": hash(absent), "received_bytes": 0 }]);
    assert_eq!(missing(&client, "local", &[many[3], absent, many[499]]), expected);
    // Again, which is harmless.
    assert_eq!(post_pack(&client, "local", pack(&many[..9])).json(), json!({ "count": 9 }));
    assert_eq!(post_pack(&client, "local", Vec::new()).json(), json!({ "count": 0 }));
}

#[test]
fn a_pack_with_a_lie_in_it_changes_nothing() {
    let server = TestServer::start();
    let client = server.client();
    let (one, two) = (b"one".as_slice(), b"two".as_slice());
    let good = pack(&[one, two]);
    let with = |at: usize, byte: u8| {
        let mut pack = good.clone();
        pack[at] = byte;
        pack
    };
    let other = |bytes: &[u8]| format!("the bytes that were sent do not have the hash {}", hash(bytes));
    let cut = |at: usize| format!("the pack is cut off in the blob that begins at byte {at}");
    let lies = [
        // Other bytes; a size that takes in what is behind, that ends too soon, that reaches beyond the end; cuts.
        (with(good.len() - 1, b'x'), other(two)),
        (with(32, 4), other(one)),
        (with(32, 2), other(one)),
        (with(35, 0xff), cut(0)),
        (good[..good.len() - 1].to_vec(), cut(39)),
        (good[..50].to_vec(), cut(39)),
        (vec![0; 36], format!("the bytes that were sent do not have the hash {}", "0".repeat(64))),
    ];
    for (lie, message) in lies {
        assert_eq!(post_pack(&client, "local", lie).error(), error(400, "invalid", &message));
    }
    assert_eq!(missing(&client, "local", &[one, two]).as_array().map(Vec::len), Some(2));
    let large = post_pack(&client, "local", vec![0; (8 << 20) + 1]);
    assert_eq!(large.error(), error(413, "invalid", "the request body is larger than 8 MiB"));
    let name = client.post("/blobs/local/missing", &json!({ "sha256": ["ABC"] }));
    assert_eq!(name.error(), error(400, "invalid", "hash \"ABC\" is not 64 lowercase hex digits"));
}

#[test]
fn what_an_account_has_not_sent_does_not_exist_for_it() {
    let server = TestServer::with_accounts();
    let (ada, bob) = (server.client_of("ada"), server.client_of("bob"));
    let secret = noise(3, 5000);
    for (client, entity) in [(&ada, "ada"), (&bob, "bob")] {
        let journal = Journal::of("r1", 1);
        assert_eq!(client.ingest(&format!("{entity}/digits/r1"), &journal, 0, &journal.bytes).status, 200);
    }
    let put = |client: &Client, entity: &str| {
        let request = json!({ "sha256": hash(&secret), "size_bytes": secret.len() }).to_string().into_bytes();
        client.send("PUT", &format!("/runs/{entity}/digits/r1/files/x"), "application/json", request)
    };
    assert_eq!(post_pack(&ada, "ada", pack(&[&secret])).status, 200);
    assert_eq!(put(&ada, "ada").status, 200);
    // For bob all is as if nobody had ever sent it, whatever he asks.
    let nothing = json!({ "received_bytes": 0, "complete": false });
    assert_eq!(bob.get(&format!("/blobs/bob/{}", hash(&secret))).json(), nothing);
    assert_eq!(missing(&bob, "bob", &[&secret]), json!([{ "sha256": hash(&secret), "received_bytes": 0 }]));
    let named = put(&bob, "bob");
    assert_eq!((named.status, named.json()), (409, nothing));
    assert_eq!(bob.get("/runs/bob/digits/r1/files/x").status, 404);
    let first = send_part(&bob, "bob", &secret, 0..4999);
    assert_eq!(first.json(), json!({ "received_bytes": 4999, "complete": false }));
    let (of_ada, forbidden) = (missing_of(&bob, "ada", &secret), "bob may not write to the runs of ada");
    assert_eq!(of_ada.error(), error(403, "forbidden", forbidden));
    assert_eq!(bob.get(&format!("/blobs/ada/{}", hash(&secret))).error(), error(403, "forbidden", forbidden));
    // He has it when he has sent it.
    assert_eq!(send_part(&bob, "bob", &secret, 4999..5000).json(), json!({ "received_bytes": 5000, "complete": true }));
    assert_eq!(put(&bob, "bob").status, 200);
    assert_eq!(bob.get("/runs/bob/digits/r1/files/x").body, secret);
}

fn missing_of(client: &Client, entity: &str, bytes: &[u8]) -> Answer {
    client.post(&format!("/blobs/{entity}/missing"), &json!({ "sha256": [hash(bytes)] }))
}
