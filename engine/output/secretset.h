// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QMap>
#include <QStringList>

#include <memory>

namespace isol8 {

class MaskAutomaton;

/// The values that must not be seen in any output of one run, ready for searching. A cheap value:
/// copies share the compiled search.
///
/// Promised to be masked, as bytes of UTF-8: each value; with its line ends as CRLF; without the
/// white space around it; each line of at least 8 bytes of a value of several lines. Also its usual
/// spellings: base64 and base64url, whatever stands before and after it in the encoded text (the
/// few characters that share bits with the neighbours stay); hex in lower and upper case;
/// percent-encoding as encodeURIComponent, Python's quote() and forms write it; the escapes of a
/// JSON string, with those for HTML and slashes; the entities of XML and HTML. The spellings are
/// looked for as long as all of them together stay below 512 KiB, those of short values first, and
/// not for values of more than 4,096 bytes.
///
/// Nothing else: masking is hygiene, a program can always spell a secret differently. Values
/// shorter than 4 bytes or of white space only would hide ordinary text; they are not masked but
/// listed in unmaskedNames().
class SecretSet {
public:
    static constexpr int minValueBytes = 4;
    static constexpr int minLineBytes = 8;
    static constexpr qsizetype maxSpelledBytes = 4096;
    static constexpr qsizetype maxSpellingsBytes = 512 << 10;

    SecretSet();
    /// @p secrets: values by name. Empty values are ignored.
    explicit SecretSet(const QMap<QString, QString>& secrets);

    [[nodiscard]] bool isEmpty() const;
    /// Names of the values that are too short or blank to be masked.
    [[nodiscard]] QStringList unmaskedNames() const { return m_unmaskedNames; }

    /// A whole text of ours (an error, a log line) with `***` in place of every secret.
    [[nodiscard]] QString masked(const QString& text) const;
    [[nodiscard]] QByteArray masked(const QByteArray& bytes) const;

private:
    friend class Masker;

    std::shared_ptr<const MaskAutomaton> m_automaton;
    QStringList m_unmaskedNames;
};

} // namespace isol8
