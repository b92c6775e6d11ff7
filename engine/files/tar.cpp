// SPDX-License-Identifier: MIT
#include "engine/files/tar.h"

#include "engine/core/escape.h"

#include <QBuffer>
#include <QFile>
#include <QFileInfo>
#include <QIODevice>

#include <algorithm>
#include <cstring>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

constexpr qsizetype blockBytes = 512;
constexpr qsizetype chunkBytes = 256 << 10;
constexpr qsizetype maxPathBytes = 4095;
constexpr qint64 maxOctalSize = 077777777777; // Eleven octal digits.
constexpr int maxOctalId = 07777777;

/// The header of one member (POSIX.1-1988 "ustar"; pax in POSIX.1-2001, "pax Interchange Format").
struct Header {
    char name[100];
    char mode[8];
    char uid[8];
    char gid[8];
    char size[12];
    char mtime[12];
    char checksum[8];
    char type;
    char linkName[100];
    char magic[6];
    char version[2];
    char userName[32];
    char groupName[32];
    char deviceMajor[8];
    char deviceMinor[8];
    char prefix[155];
    char padding[12];
};
static_assert(sizeof(Header) == blockBytes);

/// A text field: not terminated when it is full.
template <size_t Size> void setText(char (&field)[Size], const QByteArray& text)
{
    std::memcpy(field, text.constData(), std::min(Size, size_t(text.size())));
}

/// Octal digits and a NUL, as wide as the field.
template <size_t Size> void setNumber(char (&field)[Size], qint64 value)
{
    setText(field, QByteArray::number(value, 8).rightJustified(Size - 1, '0'));
}

Header makeHeader(const TarEntry& entry, char type, const QByteArray& name, qint64 sizeBytes)
{
    Header header {};
    setText(header.name, name);
    setNumber(header.mode, entry.mode & 07777);
    setNumber(header.uid, entry.uid);
    setNumber(header.gid, entry.gid);
    setNumber(header.size, sizeBytes);
    setNumber(header.mtime, 0);
    header.type = type;
    setText(header.linkName, entry.linkTarget.toUtf8());
    std::memcpy(header.magic, "ustar", 6);
    std::memcpy(header.version, "00", 2);
    std::memset(header.checksum, ' ', sizeof header.checksum);
    const auto* bytes = reinterpret_cast<const unsigned char*>(&header);
    int sum = 0;
    for (size_t at = 0; at < sizeof header; ++at)
        sum += bytes[at];
    // Six digits, a NUL, and the space that is there already.
    std::memcpy(header.checksum, QByteArray::number(sum, 8).rightJustified(6, '0').constData(), 7);
    return header;
}

/// `LENGTH KEY=VALUE\n`, where LENGTH counts itself.
QByteArray paxRecord(const QByteArray& key, const QByteArray& value)
{
    const QByteArray rest = ' ' + key + '=' + value + '\n';
    qsizetype length = rest.size() + 1;
    while (QByteArray::number(length).size() + rest.size() != length)
        length = QByteArray::number(length).size() + rest.size();
    return QByteArray::number(length) + rest;
}

class Writer {
public:
    explicit Writer(QIODevice& device)
        : m_device(device)
    {
    }

    Result<> add(const TarEntry& entry);
    /// Two blocks of zeros end an archive.
    Result<> finish() { return write(QByteArray(2 * blockBytes, '\0')); }

private:
    Result<> write(const QByteArray& bytes);
    Result<> writeHeader(const Header& header);
    Result<> writePadding(qint64 sizeBytes);
    Result<> writeContent(QIODevice& source, const TarEntry& entry, qint64 sizeBytes);
    Result<> addMember(const TarEntry& entry, char type, qint64 sizeBytes);

    QIODevice& m_device;
};

Result<> Writer::write(const QByteArray& bytes)
{
    qsizetype done = 0;
    while (done < bytes.size()) {
        const qint64 count = m_device.write(bytes.constData() + done, bytes.size() - done);
        if (count <= 0)
            return failure(Kind::Limit,
                u"cannot write the archive: %1"_s.arg(printable(m_device.errorString())));
        done += count;
    }
    return {};
}

Result<> Writer::writeHeader(const Header& header)
{
    return write(QByteArray(reinterpret_cast<const char*>(&header), sizeof header));
}

Result<> Writer::writePadding(qint64 sizeBytes)
{
    const qint64 used = sizeBytes % blockBytes;
    return used == 0 ? Result<> {} : write(QByteArray(blockBytes - used, '\0'));
}

/// The header, with a pax header before it when name or link do not fit or are not ASCII.
Result<> Writer::addMember(const TarEntry& entry, char type, qint64 sizeBytes)
{
    QByteArray name = entry.path.toUtf8();
    if (type == '5')
        name += '/';
    const QByteArray link = entry.linkTarget.toUtf8();
    QByteArray records;
    const auto needsRecord = [](const QByteArray& text) {
        return text.size() > 100
            || std::ranges::any_of(text, [](char c) { return quint8(c) > 0x7e; });
    };
    if (needsRecord(name))
        records += paxRecord("path", name);
    if (needsRecord(link))
        records += paxRecord("linkpath", link);
    if (!records.isEmpty()) {
        const Header pax = makeHeader({}, 'x', "PaxHeader", records.size());
        for (const auto& written :
            { writeHeader(pax), write(records), writePadding(records.size()) }) {
            if (!written)
                return written;
        }
    }
    return writeHeader(makeHeader(entry, type, name, sizeBytes));
}

Result<> Writer::writeContent(QIODevice& source, const TarEntry& entry, qint64 sizeBytes)
{
    qint64 remaining = sizeBytes;
    while (remaining > 0) {
        const QByteArray chunk = source.read(std::min<qint64>(remaining, chunkBytes));
        // The header has promised the size.
        if (chunk.isEmpty())
            return failure(Kind::Conflict,
                u"%1 has become shorter while it was read"_s.arg(printable(entry.sourcePath)));
        if (const auto written = write(chunk); !written)
            return written;
        remaining -= chunk.size();
    }
    return writePadding(sizeBytes);
}

Result<> checkEntry(const TarEntry& entry)
{
    const auto invalid = [&entry](const QString& why) {
        return failure(Kind::Invalid,
            u"archive member \"%1\": %2"_s.arg(printable(entry.path.left(200)), why));
    };
    const QStringList names = entry.path.split(u'/');
    const bool isBadName = std::ranges::any_of(names,
        [](const QString& name) { return name.isEmpty() || name == "."_L1 || name == ".."_L1; });
    if (isBadName || entry.path.contains(QChar(u'\0')) || !entry.path.isValidUtf16()
        || entry.path.toUtf8().size() > maxPathBytes)
        return invalid(u"not a clean relative path"_s);
    if (entry.type == TarEntry::Type::Link
        && (entry.linkTarget.isEmpty() || entry.linkTarget.contains(QChar(u'\0'))
            || entry.linkTarget.toUtf8().size() > maxPathBytes))
        return invalid(u"not a link target"_s);
    if (entry.uid < 0 || entry.uid > maxOctalId || entry.gid < 0 || entry.gid > maxOctalId)
        return invalid(u"user and group are 0 to %1"_s.arg(maxOctalId));
    return {};
}

Result<> Writer::add(const TarEntry& entry)
{
    if (const auto checked = checkEntry(entry); !checked)
        return checked;
    if (entry.type == TarEntry::Type::Directory)
        return addMember(entry, '5', 0);
    if (entry.type == TarEntry::Type::Link)
        return addMember(entry, '2', 0);
    QFile file(entry.sourcePath);
    QBuffer memory;
    memory.setData(entry.content);
    QIODevice& source = entry.sourcePath.isEmpty() ? static_cast<QIODevice&>(memory) : file;
    // Not a FIFO: opening one would wait for its other end.
    if (!entry.sourcePath.isEmpty() && !QFileInfo(entry.sourcePath).isFile())
        return failure(Kind::NotFound, u"file not found: %1"_s.arg(printable(entry.sourcePath)));
    if (!source.open(QIODevice::ReadOnly))
        return failure(Kind::Denied,
            u"cannot read %1: %2"_s.arg(printable(entry.sourcePath), source.errorString()));
    const qint64 sizeBytes = source.size();
    if (sizeBytes > maxOctalSize)
        return failure(Kind::Limit, u"%1 is too large"_s.arg(printable(entry.sourcePath)));
    if (const auto added = addMember(entry, '0', sizeBytes); !added)
        return added;
    return writeContent(source, entry, sizeBytes);
}

} // namespace

Result<> writeTar(QIODevice& device, const QList<TarEntry>& entries)
{
    Writer writer(device);
    for (const TarEntry& entry : entries) {
        if (const auto added = writer.add(entry); !added)
            return added;
    }
    return writer.finish();
}

Result<QByteArray> tarOf(const QList<TarEntry>& entries)
{
    QBuffer buffer;
    buffer.open(QIODevice::WriteOnly);
    if (const auto written = writeTar(buffer, entries); !written)
        return std::unexpected(written.error());
    return buffer.data();
}

} // namespace isol8
