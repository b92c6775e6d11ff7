// SPDX-License-Identifier: MIT
#include "engine/files/tarreader.h"

#include <QIODevice>

#include <algorithm>
#include <array>
#include <cstring>

namespace isol8 {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype blockBytes = 512;
constexpr qint64 maxNoteBytes = 1 << 20;
constexpr qint64 maxMemberBytes = 1LL << 50;

using Block = std::array<char, blockBytes>;

/// Fields of a header by offset and width (POSIX.1-1988, "ustar").
struct Field {
    qsizetype offset;
    qsizetype size;
};
constexpr Field nameField { 0, 100 };
constexpr Field modeField { 100, 8 };
constexpr Field sizeField { 124, 12 };
constexpr Field checksumField { 148, 8 };
constexpr qsizetype typeOffset = 156;
constexpr Field linkField { 157, 100 };
constexpr Field magicField { 257, 5 };
constexpr Field prefixField { 345, 155 };

std::unexpected<Error> malformed(const QString& what)
{
    return failure(Kind::Protocol, u"the archive is broken: %1"_s.arg(what));
}

QByteArray textOf(const Block& block, Field field)
{
    const auto* const begin = block.data() + field.offset;
    return QByteArray(begin, qstrnlen(begin, size_t(field.size)));
}

/// Octal digits that end with a space, a NUL or both (old writers); base 256 for what is larger.
std::optional<qint64> numberOf(const Block& block, Field field)
{
    const auto first = quint8(block[size_t(field.offset)]);
    if (first == 0x80) {
        quint64 value = 0;
        for (auto at = field.offset + 1; at < field.offset + field.size; ++at) {
            if (value >> 48 != 0)
                return std::nullopt;
            value = value << 8 | quint8(block[size_t(at)]);
        }
        return qint64(value);
    }
    const auto digits = textOf(block, field).trimmed();
    if (digits.isEmpty())
        return 0;
    bool isNumber = false;
    const auto value = digits.toLongLong(&isNumber, 8);
    return isNumber && value >= 0 ? std::optional(value) : std::nullopt;
}

/// With the checksum's own field read as spaces.
bool isChecksumRight(const Block& block)
{
    qint64 sum = 0;
    for (qsizetype at = 0; at < blockBytes; ++at) {
        const bool isItsOwn
            = at >= checksumField.offset && at < checksumField.offset + checksumField.size;
        sum += isItsOwn ? ' ' : quint8(block[size_t(at)]);
    }
    return numberOf(block, checksumField) == sum;
}

/// What a pax header says of the next member ("pax Interchange Format": `LENGTH KEY=VALUE\n`).
struct Notes {
    std::optional<QByteArray> path;
    std::optional<QByteArray> linkTarget;
    std::optional<qint64> size;

    [[nodiscard]] bool isAny() const { return path || linkTarget || size; }
};

bool applyPax(QByteArrayView records, Notes& notes)
{
    while (!records.isEmpty()) {
        const auto space = records.indexOf(' ');
        bool isNumber = false;
        const auto length = records.first(std::max<qsizetype>(space, 0)).toLongLong(&isNumber);
        if (!isNumber || length <= space + 1 || length > records.size()
            || records[length - 1] != '\n')
            return false;
        const auto record = records.sliced(space + 1, length - space - 2);
        records = records.sliced(length);
        const auto equals = record.indexOf('=');
        if (equals < 0)
            return false;
        const auto key = record.first(equals);
        const auto value = record.sliced(equals + 1);
        if (key == "path")
            notes.path = value.toByteArray();
        else if (key == "linkpath")
            notes.linkTarget = value.toByteArray();
        else if (key == "size") {
            notes.size = value.toLongLong(&isNumber);
            if (!isNumber || *notes.size < 0)
                return false;
        }
    }
    return true;
}

/// Of GNU's long names, which end with a NUL.
QByteArray withoutNul(const QByteArray& text)
{
    return text.first(qsizetype(qstrnlen(text.constData(), size_t(text.size()))));
}

TarReader::Member::Type typeOf(char flag, const QByteArray& path)
{
    using Type = TarReader::Member::Type;
    switch (flag) {
    case '0':
    case '7': // contiguous files, which nobody has
    case '\0':
        return path.endsWith('/') ? Type::Directory : Type::File;
    case '2':
        return Type::Link;
    case '5':
        return Type::Directory;
    default:
        return Type::Other;
    }
}

} // namespace

TarReader::TarReader(QIODevice& device)
    : m_device(device)
{
}

Result<> TarReader::readExactly(char* to, qint64 size)
{
    while (size > 0) {
        const auto count = m_device.read(to, size);
        if (count <= 0)
            return malformed(u"it ends too early"_s);
        to += count;
        size -= count;
    }
    return {};
}

Result<QByteArray> TarReader::read(qint64 maxBytes)
{
    const auto wanted = std::min(m_left, maxBytes);
    if (wanted <= 0)
        return QByteArray();
    QByteArray bytes(wanted, Qt::Uninitialized);
    const auto count = m_device.read(bytes.data(), wanted);
    if (count <= 0)
        return malformed(u"it ends within a file"_s);
    m_left -= count;
    bytes.truncate(count);
    return bytes;
}

Result<> TarReader::skipRest()
{
    m_left += std::exchange(m_padding, 0);
    while (m_left > 0) {
        if (const auto skipped = read(maxNoteBytes); !skipped)
            return std::unexpected(skipped.error());
    }
    return {};
}

Result<QByteArray> TarReader::readNote(qint64 size)
{
    if (size > maxNoteBytes)
        return malformed(u"a name is too long"_s);
    QByteArray bytes(size, Qt::Uninitialized);
    const auto complete = readExactly(bytes.data(), size);
    m_left = 0;
    if (!complete)
        return std::unexpected(complete.error());
    return bytes;
}

Result<std::optional<TarReader::Member>> TarReader::next()
{
    Notes notes;
    for (;;) {
        Block block;
        if (const auto skipped = skipRest(); !skipped)
            return std::unexpected(skipped.error());
        const auto count = m_device.read(block.data(), blockBytes);
        if (count == 0 && m_device.atEnd() && !notes.isAny())
            return std::optional<Member>(); // Not every writer closes with blocks of zeros.
        if (count <= 0)
            return malformed(u"it ends too early"_s);
        if (const auto complete = readExactly(block.data() + count, blockBytes - count); !complete)
            return std::unexpected(complete.error());
        if (std::ranges::all_of(block, [](char c) { return c == '\0'; }))
            return std::optional<Member>();
        const auto size = numberOf(block, sizeField);
        const auto mode = numberOf(block, modeField);
        if (textOf(block, magicField) != "ustar" || !isChecksumRight(block) || !size || !mode)
            return malformed(u"a header is none"_s);
        const char flag = block[typeOffset];
        // What describes others is never longer than pax says of the one it describes.
        const bool isNote = flag == 'x' || flag == 'L' || flag == 'K';
        const auto sizeBytes = isNote ? *size : notes.size.value_or(*size);
        if (sizeBytes > maxMemberBytes)
            return malformed(u"a size is none"_s);
        m_left = sizeBytes;
        m_padding = (blockBytes - sizeBytes % blockBytes) % blockBytes;
        if (isNote) {
            const auto text = readNote(sizeBytes);
            if (!text)
                return std::unexpected(text.error());
            if (flag == 'L')
                notes.path = withoutNul(*text);
            else if (flag == 'K')
                notes.linkTarget = withoutNul(*text);
            else if (!applyPax(*text, notes))
                return malformed(u"a pax header is none"_s);
            continue;
        }
        if (flag == 'g') // For all that follow: nothing that we read.
            continue;
        const auto prefix = textOf(block, prefixField);
        const auto name = textOf(block, nameField);
        Member member;
        member.path = notes.path.value_or(prefix.isEmpty() ? name : prefix + '/' + name);
        member.type = typeOf(flag, member.path);
        member.mode = int(*mode & 07777);
        if (member.type == Member::Type::File)
            member.sizeBytes = sizeBytes;
        if (member.type == Member::Type::Link)
            member.linkTarget = notes.linkTarget.value_or(textOf(block, linkField));
        return member;
    }
}

} // namespace isol8
