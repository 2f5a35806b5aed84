//! Texts with traps and the sentences that the specification's oracle finds in them.
//!
//! Made once with `sentences()` of the oracle: one tuple is a name, a text, and its sentences, words joined by blanks.

pub(crate) const GOLDEN: &[(&str, &str, &[&str])] = &[
    (
        "plain",
        "The cat sat. The DOG ran! Who? Me; you, all",
        &["the cat sat", "the dog ran", "who", "me", "you", "all"],
    ),
    ("empty", "", &[]),
    ("only separators", " \n\n..,;\t--- 12 \u{2028}", &[]),
    ("byte order mark", "\u{feff}One two.\u{feff}three four", &["one two", "three four"]),
    ("two byte order marks", "\u{feff}\u{feff}a\u{feff}b", &["a b"]),
    (
        "combining marks compose",
        "Cafe\u{301} e\u{301} caf\u{e9} A\u{30a}ngstro\u{308}m \u{212b}ngstr\u{f6}m",
        &["caf\u{e9} \u{e9} caf\u{e9} \u{e5}ngstr\u{f6}m \u{e5}ngstr\u{f6}m"],
    ),
    (
        "marks in non-canonical order",
        "q\u{307}\u{323} q\u{323}\u{307} a\u{323}\u{302} \u{1ead}",
        &["q\u{323}\u{307} q\u{323}\u{307} \u{1ead} \u{1ead}"],
    ),
    ("mark after separator", "a \u{301}b .\u{308}c\n\u{301}\nd", &["a \u{301}b", "\u{308}c \u{301} d"]),
    ("mark at the very start", "\u{301}a b", &["\u{301}a b"]),
    ("mark after apostrophe", "a'\u{301}b '\u{301}c", &["a'\u{301}b \u{301}c"]),
    (
        "final sigma",
        "\u{39f}\u{394}\u{3a5}\u{3a3}\u{3a3}\u{395}\u{3a5}\u{3a3} \u{3a3} \u{3a3}\u{391}\u{3a3}' 'A\u{3a3}'B \u{3a3}\u{301} A\u{3a3}\u{301}",
        &[
            "\u{3bf}\u{3b4}\u{3c5}\u{3c3}\u{3c3}\u{3b5}\u{3c5}\u{3c2} \u{3c3} \u{3c3}\u{3b1}\u{3c2} a\u{3c3}'b \u{3c3}\u{301} a\u{3c2}\u{301}",
        ],
    ),
    (
        "Turkish dotted I",
        "\u{130}stanbul I\u{307}stanbul \u{131} DI\u{307}",
        &["i\u{307}stanbul i\u{307}stanbul \u{131} di\u{307}"],
    ),
    ("German sharp s", "STRASSE Stra\u{df}e STRA\u{1e9e}E", &["strasse stra\u{df}e stra\u{df}e"]),
    (
        "ligatures stay",
        "\u{fb01}n \u{fb03} \u{1c4} \u{1c5} \u{1c6}",
        &["\u{fb01}n \u{fb03} \u{1c6} \u{1c6} \u{1c6}"],
    ),
    ("CRLF blank line", "one two\r\n\r\nthree four\r\nfive", &["one two", "three four five"]),
    ("CR alone", "one\rtwo\r\rthree\r \rfour", &["one two", "three", "four"]),
    ("CR CR LF", "one\r\r\ntwo\n\rthree", &["one", "two", "three"]),
    ("blank line of U+3000", "one\n\u{3000}\ntwo", &["one", "two"]),
    ("blank line of U+0085", "one\n\u{85}\ntwo", &["one", "two"]),
    ("blank line of U+2028", "one\n\u{2028}\u{2029}\ntwo\u{2028}\u{2028}three", &["one", "two three"]),
    ("blank line of tab VT FF NBSP", "one\n\t\u{b}\u{c} \u{a0}\ntwo", &["one", "two"]),
    ("not blank: zero width space", "one\n\u{200b}\ntwo\n\u{1f}\nthree", &["one two three"]),
    ("not blank: apostrophe", "one\n'\ntwo\n\u{2019}\nthree\n-\nfour\n5\nsix", &["one two three four six"]),
    ("en quad becomes en space", "one\n\u{2000}\u{2001}\ntwo", &["one", "two"]),
    (
        "Greek question mark becomes semicolon",
        "\u{3c4}\u{3b9}\u{37e} \u{3bd}\u{3b1}\u{3b9}",
        &["\u{3c4}\u{3b9}", "\u{3bd}\u{3b1}\u{3b9}"],
    ),
    (
        "apostrophes",
        "don't don\u{2019}t 'tis 'twas' ''quoted'' rock'n'roll o''clock",
        &["don't don't tis twas quoted rock'n'roll o''clock"],
    ),
    ("lone apostrophes", "a ' b \u{2019} c '' d '\u{2019}' e", &["a b c d e"]),
    (
        "other quotes separate",
        "\u{2018}a\u{201b} b\u{2bc}c d`e f\u{b4}g h\u{2032}i",
        &["a b\u{2bc}c d e f g h i"],
    ),
    (
        "Arabic",
        "\u{645}\u{631}\u{62d}\u{628}\u{627}\u{60c} \u{643}\u{64a}\u{641} \u{62d}\u{627}\u{644}\u{643}\u{61f} \u{623}\u{646}\u{627} \u{628}\u{62e}\u{64a}\u{631}\u{61b} \u{634}\u{643}\u{631}\u{627}\u{64b}.",
        &[
            "\u{645}\u{631}\u{62d}\u{628}\u{627}",
            "\u{643}\u{64a}\u{641} \u{62d}\u{627}\u{644}\u{643}",
            "\u{623}\u{646}\u{627} \u{628}\u{62e}\u{64a}\u{631}",
            "\u{634}\u{643}\u{631}\u{627}\u{64b}",
        ],
    ),
    (
        "Chinese",
        "\u{4f60}\u{597d}\u{ff0c}\u{4e16}\u{754c}\u{3002}\u{597d} \u{5417}\u{ff1f}\u{597d}\u{ff01}\u{4e00}\u{3001}\u{4e8c}\u{ff1b}\u{4e09}",
        &[
            "\u{4f60}\u{597d}",
            "\u{4e16}\u{754c}",
            "\u{597d} \u{5417}",
            "\u{597d}",
            "\u{4e00}",
            "\u{4e8c}",
            "\u{4e09}",
        ],
    ),
    (
        "CJK compatibility ideographs",
        "\u{f900}\u{f901} \u{fa0e} \u{2f800}",
        &["\u{8c48}\u{66f4} \u{fa0e} \u{4e3d}"],
    ),
    (
        "fullwidth letters stay, fullwidth stop separates",
        "\u{ff21}\u{ff22} \u{ff0e}\u{ff43}",
        &["\u{ff41}\u{ff42} \u{ff43}"],
    ),
    (
        "ZWJ and ZWNJ separate",
        "a\u{200d}b c\u{200c}d \u{646}\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
        &["a b c d \u{646}\u{645}\u{6cc} \u{62e}\u{648}\u{627}\u{647}\u{645}"],
    ),
    (
        "digits and underscore separate",
        "abc123def x_y 4th \u{663}\u{664} \u{b2} \u{2160} a\u{aa}b",
        &["abc def x y th a\u{aa}b"],
    ),
    (
        "emoji",
        "hi\u{1f600}there \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} \u{2764}\u{fe0f} love",
        &["hi there \u{fe0f} love"],
    ),
    (
        "Hangul jamo compose",
        "\u{1112}\u{1161}\u{11ab} \u{d55c} \u{1112}\u{1161} \u{11ab}",
        &["\u{d55c} \u{d55c} \u{d558} \u{11ab}"],
    ),
    (
        "Devanagari exclusions",
        "\u{958} \u{915}\u{93c} \u{928}\u{93c} \u{929}",
        &["\u{915}\u{93c} \u{915}\u{93c} \u{929} \u{929}"],
    ),
    ("Bengali vowel composes", "\u{995}\u{9c7}\u{9be} \u{995}\u{9cb}", &["\u{995}\u{9cb} \u{995}\u{9cb}"]),
    ("Kelvin and ohm", "\u{212a} \u{2126} \u{212b}", &["k \u{3c9} \u{e5}"]),
    ("musical symbols with marks", "\u{1d15e} x\u{1d165}y", &["\u{1d165} x\u{1d165}y"]),
    (
        "titlecase and modifier letters",
        "\u{2b0}\u{2b1} \u{1d2c} \u{2c7d} \u{ba}",
        &["\u{2b0}\u{2b1} \u{1d2c} \u{2c7d} \u{ba}"],
    ),
    (
        "soft hyphen and hyphen separate",
        "co\u{ad}op well-known \u{2010} a\u{2011}b",
        &["co op well known a b"],
    ),
    ("supplementary letters", "\u{10400}\u{10401} \u{1e900}\u{e9}", &["\u{10428}\u{10429} \u{1e922}\u{e9}"]),
    (
        "ellipsis separates, does not end",
        "wait\u{2026} what\u{bf} no\u{a1} yes: end",
        &["wait what no yes end"],
    ),
    ("not equal sign composes", "a=\u{338}b <\u{338}", &["a b"]),
    ("blank line between punctuation", "a.\n \n,b\n\n\n\nc", &["a", "b", "c"]),
];
