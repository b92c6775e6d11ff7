// SPDX-License-Identifier: MIT
#include "engine/files/tarreader.h"

#include "engine/files/tar.h"

#include <QBuffer>
#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;

namespace {

using Type = TarReader::Member::Type;

/// A header as other writers make them: @p size is the field as it is.
QByteArray header(const QByteArray& name, const QByteArray& size, char type = '0')
{
    QByteArray block(512, '\0');
    const auto set
        = [&block](qsizetype at, const QByteArray& text) { block.replace(at, text.size(), text); };
    set(0, name);
    set(100, "000644 \0"_ba);
    set(124, size);
    set(156, QByteArray(1, type));
    set(257, "ustar\0"_ba + "00");
    set(148, "        ");
    int sum = 0;
    for (const char c : std::as_const(block))
        sum += quint8(c);
    set(148, QByteArray::number(sum, 8).rightJustified(6, '0') + QByteArray("\0 ", 2));
    return block;
}

QByteArray padded(const QByteArray& content)
{
    return content + QByteArray((512 - content.size() % 512) % 512, '\0');
}

const QByteArray ending(1024, '\0');

struct Found {
    QByteArrayList lines; ///< `TYPE PATH MODE CONTENT-OR-TARGET`.
    QString error;
};

/// Reads all, @p step bytes at a time.
Found contentOf(const QByteArray& bytes, qint64 step = 1000)
{
    QBuffer buffer;
    buffer.setData(bytes);
    buffer.open(QIODevice::ReadOnly);
    TarReader reader(buffer);
    Found found;
    for (;;) {
        const auto member = reader.next();
        if (!member)
            found.error = member.error().message;
        if (!member || !*member)
            return found;
        QByteArray content = (*member)->linkTarget;
        for (;;) {
            const auto piece = reader.read(step);
            if (!piece)
                found.error = piece.error().message;
            if (!piece || piece->isEmpty())
                break;
            content += *piece;
        }
        if (!found.error.isEmpty())
            return found;
        found.lines << QByteArray::number(int((*member)->type)) + ' ' + (*member)->path + ' '
                + QByteArray::number((*member)->mode, 8) + ' ' + content;
    }
}

} // namespace

class TestTarReader : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsWhatIsWritten();
    void skipsWhatIsNotRead();
    void sizesOfOtherWriters_data();
    void sizesOfOtherWriters();
    void longNames();
    void unknownMembersAreTold();
    void everyCutIsRefused();
    void refuses_data();
    void refuses();
};

void TestTarReader::readsWhatIsWritten()
{
    const QString longName = QString(200, u'n') + u'/' + QString(200, u'\u00e4');
    const auto bytes = tarOf({ { .path = u"a"_s, .mode = 0755, .content = "first" },
        { .path = u"d"_s, .type = TarEntry::Type::Directory, .mode = 0700 },
        { .path = u"d/empty"_s },
        { .path = u"link"_s, .type = TarEntry::Type::Link, .linkTarget = u"a"_s },
        { .path = longName, .content = QByteArray(5000, 'x') } });
    QVERIFY(bytes);
    for (const qint64 step : { 1, 511, 512, 100'000 }) {
        const auto found = contentOf(*bytes, step);
        QCOMPARE(found.error, QString());
        const QByteArrayList expected { "0 a 755 first", "1 d/ 700 ", "0 d/empty 644 ",
            "2 link 644 a", "0 " + longName.toUtf8() + " 644 " + QByteArray(5000, 'x') };
        QCOMPARE(found.lines, expected);
    }
}

void TestTarReader::skipsWhatIsNotRead()
{
    const auto bytes = tarOf({ { .path = u"a"_s, .content = QByteArray(3'000'000, 'a') },
        { .path = u"b"_s, .content = "b" } });
    QBuffer buffer;
    buffer.setData(*bytes);
    QVERIFY(buffer.open(QIODevice::ReadOnly));
    TarReader reader(buffer);
    QVERIFY(reader.next());
    QCOMPARE(reader.read(3)->size(), 3);
    QCOMPARE((*reader.next())->path, "b");
    QCOMPARE(*reader.read(100), "b");
    QCOMPARE(*reader.read(100), QByteArray());
    QVERIFY(!*reader.next());
}

void TestTarReader::sizesOfOtherWriters_data()
{
    QTest::addColumn<QByteArray>("size");
    QTest::newRow("usual") << QByteArray("00000000003\0", 12);
    QTest::newRow("space and NUL") << QByteArray("0000000003 \0", 12); // npm's of 2013
    QTest::newRow("spaces before") << QByteArray("          3\0", 12);
    QTest::newRow("not terminated") << "000000000003"_ba;
    QTest::newRow("base 256") << "\x80"_ba + QByteArray(10, '\0') + '\3';
}

void TestTarReader::sizesOfOtherWriters()
{
    QFETCH(QByteArray, size);
    const auto found
        = contentOf(header("a", size) + padded("abc") + header("b", size) + padded("def") + ending);
    QCOMPARE(found.error, QString());
    QCOMPARE(found.lines, (QByteArrayList { "0 a 644 abc", "0 b 644 def" }));
}

void TestTarReader::longNames()
{
    const QByteArray name = QByteArray(300, 'n');
    const auto gnu = header("././@LongLink", "00000000455", 'L') + padded(name + '\0')
        + header("././@LongLink", "00000000455", 'K') + padded(name + '\0')
        + header("short", "00000000000", '2');
    const auto pax = header("x", "00000000040", 'x') + padded("9 size=3\n12 path=xyz\n11 other=1\n")
        + header("short", "00000000000") + padded("abc");
    const auto prefixed = [] {
        auto block = header("name", "00000000000");
        block.replace(345, 6, "prefix");
        const int sum = block.mid(148, 6).toInt(nullptr, 8) + 'p' + 'r' + 'e' + 'f' + 'i' + 'x';
        return block.replace(148, 6, QByteArray::number(sum, 8).rightJustified(6, '0'));
    }();
    const auto found = contentOf(gnu + pax + prefixed + ending);
    QCOMPARE(found.error, QString());
    QCOMPARE(found.lines,
        (QByteArrayList { "2 " + name + " 644 " + name, "0 xyz 644 abc", "0 prefix/name 644 " }));
}

void TestTarReader::unknownMembersAreTold()
{
    const auto found = contentOf(header("pax_global_header", "00000000005", 'g') + padded("abcde")
        + header("fifo", "00000000000", '6') + header("/etc/../x", "00000000001") + padded("y")
        + ending);
    QCOMPARE(found.error, QString());
    QCOMPARE(found.lines, (QByteArrayList { "3 fifo 644 ", "0 /etc/../x 644 y" }));
}

void TestTarReader::everyCutIsRefused()
{
    const auto bytes = *tarOf({ { .path = u"a"_s, .content = QByteArray(700, 'a') },
        { .path = QString(120, u'b'), .content = "b" } });
    for (qsizetype size = 0; size < bytes.size() - 1024; ++size) {
        const bool isBetweenMembers = size == 0 || size == 1536;
        QVERIFY2(contentOf(bytes.first(size)).error.isEmpty() == isBetweenMembers,
            QByteArray::number(size));
    }
}

void TestTarReader::refuses_data()
{
    QTest::addColumn<QByteArray>("bytes");
    auto damaged = header("a", "00000000000");
    damaged[3] = 'x';
    QTest::newRow("no archive") << QByteArray(5000, '?');
    QTest::newRow("checksum") << damaged + ending;
    QTest::newRow("size") << header("a", "0000000008z") + ending;
    QTest::newRow("negative size") << header("a", "-0000000001") + ending;
    QTest::newRow("huge size") << header("a", "\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"_ba)
            + ending;
    QTest::newRow("size of an exabyte") << header("a", "\x80\0\0\0\x10\0\0\0\0\0\0\0"_ba) + ending;
    QTest::newRow("huge note") << header("a", "77777777777", 'x') + QByteArray(5000, ' ');
    for (const QByteArray record : { "x", "5 a=b", "0 a=b\n", "-1 a=b\n", "99 a=b\n", "6 a-b\n",
             "9 size=x\n", "10 size=-1\n", "99999999999999999999 a=b\n", " \n", "1 \n" })
        QTest::newRow(record.trimmed().constData())
            << header("x", QByteArray::number(record.size(), 8), 'x') + padded(record)
                + header("a", "00000000000") + ending;
}

void TestTarReader::refuses()
{
    QFETCH(QByteArray, bytes);
    const auto found = contentOf(bytes);
    QVERIFY(found.error.startsWith(u"the archive is broken"));
    QCOMPARE(found.lines, QByteArrayList());
}

QTEST_APPLESS_MAIN(TestTarReader)
#include "tst_tarreader.moc"
