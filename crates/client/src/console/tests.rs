//! What becomes of printed bytes, as a reader of the journal sees it.

use std::collections::BTreeMap;

use proptest::prelude::*;
use steplog_model::{ConsoleLines, ConsoleOutput, MAX_CONSOLE_LINE_BYTES};

use super::Console;

/// The lines as the last record of each says.
#[derive(Default)]
struct Page {
    lines: BTreeMap<u64, (ConsoleOutput, Box<str>)>,
    records: usize,
}

impl Page {
    fn take(&mut self, console: ConsoleLines) {
        self.records += 1;
        for (number, text) in (console.first_line..).zip(console.lines) {
            assert!(text.len() <= MAX_CONSOLE_LINE_BYTES && !text.contains('\n'), "{text:?}");
            if let Some((output, _)) = self.lines.insert(number, (console.output, text)) {
                assert_eq!(output, console.output);
            }
        }
    }

    fn texts(&self) -> Vec<&str> {
        assert!(self.lines.keys().copied().eq(0..self.lines.len() as u64), "every number once");
        self.lines.values().map(|(_, text)| &**text).collect()
    }
}

const OUT: ConsoleOutput = ConsoleOutput::Stdout;
const ERR: ConsoleOutput = ConsoleOutput::Stderr;

fn console() -> Console {
    Console::new(None, true)
}

fn page_of(pieces: &[&[u8]]) -> Page {
    let (mut console, mut page) = (console(), Page::default());
    for piece in pieces {
        console.write(OUT, piece, 0.0, |lines| page.take(lines));
    }
    console.end(0.0, |lines| page.take(lines));
    page
}

/// The lines that printing this leaves, however it is cut.
#[track_caller]
fn shows(printed: &str, lines: &[&str]) {
    assert_eq!(page_of(&[printed.as_bytes()]).texts(), lines);
    let single: Vec<_> = printed.as_bytes().chunks(1).collect();
    assert_eq!(page_of(&single).texts(), lines, "byte by byte");
}

#[test]
fn plain_lines_stay_as_they_are() {
    shows("", &[]);
    shows("a\n", &["a"]);
    shows("a\n\nb", &["a", "", "b"]);
    shows("a\r\nb\r\n", &["a", "b"]);
    shows("Grüße, 世界 🚀\n", &["Grüße, 世界 🚀"]);
    shows("blanks at the end   \n", &["blanks at the end"]);
    shows("a\tb\n12345678\tc\n", &["a       b", "12345678        c"]);
}

#[test]
fn a_carriage_return_begins_the_line_again() {
    shows("10 %\r 50 %\r100 %\n", &["100 %"]);
    shows("a long line\rshort\n", &["shortg line"]);
    shows("a long line\r\x1b[Kshort\n", &["short"]);
    shows("abc\x08\x08X\n", &["aXc"]);
    // What tqdm leaves of a bar that is not to stay.
    shows("  1%|▏    | 1/100\r                 \rdone\n", &["done"]);
}

#[test]
fn bars_of_tqdm_are_drawn_in_their_places() {
    let printed = "\router:   0%|          | 0/2 [00:00<?, ?it/s]\
        \n\rinner:   0%|          | 0/3 [00:00<?, ?it/s]\x1b[A\
        \n\rinner: 100%|██████████| 3/3 [00:00<00:00, 9.93it/s]\x1b[A\
        \router:  50%|█████     | 1/2 [00:00<00:00,  3.30it/s]\
        \n\rinner: 100%|██████████| 3/3 [00:00<00:00, 9.94it/s]\x1b[A\
        \router: 100%|██████████| 2/2 [00:00<00:00,  3.31it/s]\n\n";
    shows(
        printed,
        &[
            "outer: 100%|██████████| 2/2 [00:00<00:00,  3.31it/s]",
            "inner: 100%|██████████| 3/3 [00:00<00:00, 9.94it/s]",
        ],
    );
}

#[test]
fn rich_redraws_what_it_drew() {
    let bar = "Working \x1b[38;2;249;38;114m━━━━\x1b[0m\x1b[38;5;237m━━━━\x1b[0m";
    let printed = format!(
        "\x1b[?25l{bar} \x1b[35m 50%\x1b[0m\nsecond\r\x1b[2K\x1b[1A\x1b[2K{bar} \x1b[35m100%\x1b[0m\nsecond\n\x1b[?25h"
    );
    shows(&printed, &["Working \x1b[38;2;249;38;114m━━━━\x1b[0;38;5;237m━━━━\x1b[0m \x1b[35m100%\x1b[0m", "second"]);
}

#[test]
fn colours_are_written_in_one_way_and_only_where_they_change() {
    shows("\x1b[31mred\x1b[m plain\n", &["\x1b[31mred\x1b[0m plain"]);
    shows("\x1b[1;31mbold\x1b[22m red\x1b[39m\n", &["\x1b[1;31mbold\x1b[0;31m red\x1b[0m"]);
    shows("\x1b[31m\x1b[31mr\x1b[0;31med\n", &["\x1b[31mred\x1b[0m"]);
    shows("\x1b[91;104mx\x1b[0m\n", &["\x1b[91;104mx\x1b[0m"]);
    shows("\x1b[38;5;9mx\x1b[48;5;200my\x1b[0m", &["\x1b[91mx\x1b[0;91;48;5;200my\x1b[0m"]);
    shows("\x1b[38:2::1:2:3mx\x1b[38:5:20my\x1b[0m", &["\x1b[38;2;1;2;3mx\x1b[0;38;5;20my\x1b[0m"]);
    shows("\x1b[4:3;58;5;1mx\x1b[4:0my\x1b[0m", &["\x1b[4mx\x1b[0my"]);
    // A style that goes on in the next line.
    shows("\x1b[32ma\nb\x1b[0m\n", &["\x1b[32ma\x1b[0m", "\x1b[32mb\x1b[0m"]);
    // Coloured blanks are to be seen.
    shows("\x1b[41m  \x1b[0m  \n", &["\x1b[41m  \x1b[0m"]);
}

#[test]
fn the_cursor_goes_where_it_is_sent() {
    shows("one\ntwo\nthree\x1b[2A\rONE\x1b[1B\x1b[1GTWO\x1b[2C!\n", &["ONE", "TWO  !", "three"]);
    shows("a\nb\nc\x1b[2F\x1b[JX", &["X", "", ""]);
    shows("abcdef\x1b[4D\x1b[2P|\n", &["ab|f"]);
    shows("abcdef\r\x1b[2@\n", &["  abcdef"]);
    shows("abcdef\r\x1b[3X\n", &["   def"]);
    shows("abc\x1b7\rX\x1b8d\n", &["Xbcd"]);
    shows("abcdef\x1b[3D\x1b[1K\n", &["    ef"]);
    shows("up\x1b[99Aagain\n", &["upagain"]);
}

#[test]
fn a_page_that_is_drawn_from_the_top_again_replaces_the_last() {
    let page = |second: u32| format!("\x1b[Hseconds {second}\x1b[K\nload 0.{second}\x1b[K\x1b[J");
    shows(
        &format!("before\n{}{}{}\nafter\n", page(1), page(2), page(3)),
        &["before", "seconds 3", "load 0.3", "after"],
    );
    // Who clears the screen loses nothing that was printed before.
    shows("before\n\x1b[H\x1b[2J\x1b[3Jafter\n", &["before", "after"]);
    shows("a\x1b[2J\x1b[Hb\x1b[2J\x1b[Hc\n", &["a", "b", "c"]);
    shows("\x1b[3;2Hx\x1b[1;1Hy\n", &["y", "", " x"]);
}

#[test]
fn what_is_not_to_be_seen_is_not_kept() {
    shows("\x1b]0;title é\x07a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n", &["alink"]);
    shows("\x1bPq#0;2;0~~\x1b\\a\x1b_payload\x1b\\b\x1b^x\x1b\\c\n", &["abc"]);
    shows("\x07\x00\x7f\u{9b}a\x1b(B\x1b=\x1b>b\x1b[?2004h\x1b[6n\n", &["ab"]);
    shows("shell\n\x1b[?1049h\x1b[2J\x1b[Hvim\nvim\x1b[?1049lback\n", &["shell", "back"]);
    // Half a sequence takes nothing of the next line with it.
    shows("a\x1b]0;half\nb\n", &["a", "b"]);
    shows("a\x1b[31\x18b\x1b\x1b[1mc\n", &["ab\x1b[1mc\x1b[0m"]);
    shows("a\x1b[1?2mb\n", &["ab"]);
}

#[test]
fn what_is_no_text_becomes_replacement_characters() {
    let page = page_of(&[b"a\xffb\xe2\x82c\xe2\x82", b"\xac\xe2", b"\n\xf0\x9f\x9a", b"\x80\x80|\xc3"]);
    assert_eq!(page.texts(), ["a\u{fffd}b\u{fffd}c€\u{fffd}", "🚀\u{fffd}|\u{fffd}"]);
}

#[test]
fn wide_and_combining_characters_take_their_columns() {
    shows("世界\rab\n", &["ab界"]);
    shows("世界\x1b[1D|\n", &["世 |"]);
    shows("世界\ra\n", &["a 界"]);
    shows("e\u{301}a\x08\x08X\n", &["Xa"]);
    shows("e\u{301}\u{302}f\n", &["e\u{301}\u{302}f"]);
    shows("世\u{301}x\n", &["世\u{301}x"]);
    shows("\u{301}\n", &[""]);
}

#[test]
fn a_long_line_goes_on_in_the_next() {
    let long = "x".repeat(20_000);
    shows(&format!("{long}\nend\n"), &[&long[..8192], &long[..8192], &long[..3616], "end"]);
    let full = "é".repeat(8192);
    shows(&format!("{full}\nend\n"), &[&full, "end"]);
    shows(&format!("{}世\n", "x".repeat(8191)), &[&long[..8191], "世"]);
}

#[test]
fn a_line_with_too_many_colours_keeps_its_text() {
    let colours = (0..8192u32).fold(String::new(), |text, index| {
        text + &format!("\x1b[38;2;{};{};0;48;2;9;9;{}mx", index % 256, index / 256, index % 7)
    });
    let page = page_of(&[colours.as_bytes()]);
    assert_eq!(page.texts(), ["x".repeat(8192)]);
}

#[test]
fn few_bytes_do_not_become_many() {
    shows("\x1b[9999Gx\n", &[&format!("{}x", " ".repeat(511))]);
    assert_eq!(page_of(&[b"\x1b[9999;1Hx\n"]).texts().len(), 128);
    assert_eq!(page_of(&[&b"\x1b[9999Bx\x1b[9999b\n".repeat(3)]).texts(), ["x"; 3]);
}

#[test]
fn outputs_share_their_numbers_and_nothing_else() {
    let (mut console, mut page) = (console(), Page::default());
    for (output, text) in [(OUT, "begun"), (ERR, "\x1b[31mwarning\n"), (OUT, " and done\n"), (ERR, "x"), (OUT, "y\n")] {
        console.write(output, text.as_bytes(), 0.0, |lines| page.take(lines));
    }
    console.end(0.0, |lines| page.take(lines));
    let lines: Vec<_> = page.lines.into_iter().map(|(number, (output, text))| (number, output, text)).collect();
    assert_eq!(
        lines,
        [
            (0, OUT, "begun and done".into()),
            (1, ERR, "\x1b[31mwarning\x1b[0m".into()),
            (2, ERR, "\x1b[31mx\x1b[0m".into()),
            (3, OUT, "y".into()),
        ]
    );
}

#[test]
fn complete_lines_are_recorded_at_once_and_together() {
    let (mut console, mut page) = (console(), Page::default());
    console.write(OUT, b"a\nb\nc\nnot yet", 0.0, |lines| page.take(lines));
    assert_eq!((page.texts(), page.records), (vec!["a", "b", "c"], 1));
    console.tick(0.1, |lines| page.take(lines));
    assert_eq!((page.texts(), page.records), (vec!["a", "b", "c", "not yet"], 2));
    // The same text is not recorded twice.
    console.write(OUT, b"\n", 0.2, |lines| page.take(lines));
    console.end(0.3, |lines| page.take(lines));
    assert_eq!(page.records, 2);
}

#[test]
fn a_line_that_is_drawn_often_is_recorded_once_a_second() {
    let (mut console, mut page) = (console(), Page::default());
    for hundredth in 0..1000 {
        let time = f64::from(hundredth) / 100.0;
        console.write(ERR, format!("\r{hundredth}").as_bytes(), time, |lines| page.take(lines));
        console.tick(time, |lines| page.take(lines));
    }
    assert_eq!(page.records, 10);
    console.end(10.0, |lines| page.take(lines));
    assert_eq!((page.texts(), page.records), (vec!["999"], 11));
    // Nothing is taken in after the end.
    console.write(ERR, b"more\n", 11.0, |lines| page.take(lines));
    assert_eq!(page.records, 11);
}

#[test]
fn a_process_without_a_thread_records_unfinished_lines_as_it_prints() {
    let (mut console, mut page) = (Console::new(None, false), Page::default());
    console.write(OUT, b"half", 0.0, |lines| page.take(lines));
    assert_eq!(page.texts(), ["half"]);
    for tenth in 0..25 {
        console.write(OUT, format!("\r{tenth}  ").as_bytes(), f64::from(tenth) / 10.0, |lines| page.take(lines));
    }
    assert_eq!((page.texts(), page.records), (vec!["20"], 3));
}

#[test]
fn lines_beyond_the_window_are_final_in_their_last_state() {
    let (mut console, mut page) = (console(), Page::default());
    console.write(OUT, b"first\nsecond\n\x1b[2AFIRST\x1b[2B", 0.0, |lines| page.take(lines));
    assert_eq!(page.texts(), ["first", "second"]);
    console.write(OUT, &b"\rx\n".repeat(300), 0.5, |lines| page.take(lines));
    assert_eq!(page.texts()[..3], ["FIRST", "second", "x"]);
    console.write(OUT, b"\x1b[999Atop", 1.0, |lines| page.take(lines));
    console.end(1.0, |lines| page.take(lines));
    assert_eq!(page.lines.len(), 302);
    assert_eq!(page.texts().iter().position(|text| *text == "top"), Some(302 - 255));
}

#[test]
fn a_hundred_megabytes_without_a_line_break_pass_through_little_memory() {
    let (mut console, mut lines, mut bytes, mut largest) = (console(), 0, 0, 0);
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..100 {
        console.write(OUT, &piece, 0.0, |record| {
            lines += record.lines.len();
            let size: usize = record.lines.iter().map(|line| line.len()).sum();
            bytes += size;
            largest = largest.max(size);
        });
    }
    assert_eq!((lines, bytes), ((100 << 20) / 8192 - 1, (100 << 20) - 8192));
    assert!(largest <= 256 << 10, "{largest} bytes in one record");
    assert!(console.weight() <= (1 << 20) + 16 * 8192, "{} bytes held", console.weight());
    // An endless title, and an endless control sequence.
    console.write(OUT, b"\x1b]0;", 0.0, drop);
    (0..10).for_each(|_| console.write(OUT, &piece, 0.0, |_| panic!("a title is not shown")));
    console.write(OUT, b"\x07\x1b[", 0.0, drop);
    (0..10).for_each(|_| console.write(OUT, &vec![b'1'; 1 << 20], 0.0, |_| panic!("numbers are not shown")));
}

/// Text, controls and sequences as hostile output mixes them.
fn printed() -> impl Strategy<Value = Vec<u8>> {
    let words = prop_oneof![
        4 => "[a-zé世\u{301} ]{1,6}".prop_map(String::into_bytes),
        2 => prop::sample::select(&b"\n\r\t\x08\x0b\x1b\x18\x7f\x07"[..]).prop_map(|byte| vec![byte]),
        3 => ("[0-9;:]{0,5}", "[A-HJKPXmsu@bdf]").prop_map(|(numbers, last)| format!("\x1b[{numbers}{last}").into_bytes()),
        1 => prop::sample::select(&["\x1b]0;t\x07", "\x1b]0;", "\x1bPx", "\x1b\\", "\x1b7", "\x1b8", "\x1bM", "\x1bc",
            "\x1b[?1049h", "\x1b[?1049l", "\x1b[2J", "\x1b[H"][..]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(words, 0..60).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn how_output_is_cut_makes_no_difference(printed in printed(), cuts in prop::collection::vec(1usize..9, 1..9)) {
        let whole = page_of(&[&printed]);
        let mut pieces = Vec::new();
        let (mut rest, mut cuts) = (&printed[..], cuts.into_iter().cycle());
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(cuts.next().unwrap().min(rest.len()));
            pieces.push(piece);
            rest = behind;
        }
        let cut = page_of(&pieces);
        prop_assert_eq!(&whole.lines, &cut.lines);
        prop_assert_eq!(whole.texts().len(), whole.lines.len());
    }

    #[test]
    fn what_was_recorded_is_recorded_the_same_when_it_is_printed_again(printed in printed()) {
        // A recorded text is what a terminal shows: printing it shows it again.
        let once = page_of(&[&printed]);
        let again = once.texts().iter().map(|line| format!("{line}\n")).collect::<String>();
        let twice = page_of(&[again.as_bytes()]);
        prop_assert_eq!(once.texts(), twice.texts());
    }

    #[test]
    fn any_bytes_can_be_printed(printed in prop::collection::vec(any::<u8>(), 0..4096)) {
        page_of(&[&printed]).texts();
    }
}
