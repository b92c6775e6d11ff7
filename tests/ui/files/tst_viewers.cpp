// SPDX-License-Identifier: MIT
#include "ui/files/viewers.h"

#include <QBuffer>
#include <QImage>
#include <QTableView>
#include <QTest>

using namespace isol8;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// Images and tables of a session's files, which are hostile.
class TestViewers : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void knowsItsFiles();
    void showsImages_data();
    void showsImages();
    void showsTables();
    void refuses_data();
    void refuses();

private:
    [[nodiscard]] static QByteArray image(const char* format, QSize size);
    /// A PNG whose head claims that size and which has nothing else.
    [[nodiscard]] static QByteArray claimedPng(quint32 width, quint32 height);
};

QByteArray TestViewers::image(const char* format, QSize size)
{
    QImage picture(size, QImage::Format_RGB32);
    picture.fill(Qt::red);
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    if (!picture.save(&buffer, format))
        qFatal("cannot write %s", format);
    return bytes;
}

namespace {

/// CRC-32 as PNG uses it (RFC 2083, appendix 15).
quint32 crc(const QByteArray& bytes)
{
    quint32 value = 0xffffffff;
    for (const char byte : bytes) {
        value ^= static_cast<unsigned char>(byte);
        for (int i = 0; i < 8; ++i)
            value = value & 1 ? 0xedb88320 ^ (value >> 1) : value >> 1;
    }
    return ~value;
}

} // namespace

QByteArray TestViewers::claimedPng(quint32 width, quint32 height)
{
    auto bytes = image("PNG", { 1, 1 });
    const auto store = [&bytes](qsizetype at, quint32 value) {
        for (int i = 0; i < 4; ++i)
            bytes[at + i] = char(value >> (24 - 8 * i));
    };
    store(16, width);
    store(20, height);
    store(29, crc(bytes.sliced(12, 17))); // of the head's type and data
    return bytes;
}

void TestViewers::knowsItsFiles()
{
    QVERIFY(hasViewer(u"a.PNG"_s) && hasViewer(u"a.csv"_s));
    QVERIFY(!hasViewer(u"a.py"_s) && !hasViewer(u"png"_s) && !hasViewer(u"a.webp"_s));
}

void TestViewers::showsImages_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<QByteArray>("content");
    QTest::newRow("png") << u"a.png"_s << image("PNG", { 20, 10 });
    QTest::newRow("jpeg") << u"a.jpg"_s << image("JPG", { 20, 10 });
    QTest::newRow("svg")
        << u"a.svg"_s
        << R"(<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><rect width="5" height="5"/></svg>)"_ba;
    QTest::newRow("gif") << u"a.gif"_s
                         << QByteArray::fromBase64(
                                "R0lGODlhAQABAIAAAP8AAAAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==");
}

void TestViewers::showsImages()
{
    QFETCH(QString, name);
    QFETCH(QByteArray, content);
    QWidget parent;
    const auto viewer = makeViewer(name, content, &parent);
    QVERIFY2(viewer, viewer ? "" : qPrintable(viewer.error().message));
    (*viewer)->resize(200, 100);
    QVERIFY(!(*viewer)->grab().isNull());
    QCOMPARE((*viewer)->windowTitle(), name);
    for (const auto key : { Qt::Key_Plus, Qt::Key_Minus, Qt::Key_0 })
        QTest::keyClick(*viewer, key);
    for (int i = 0; i < 100; ++i)
        QTest::keyClick(*viewer, Qt::Key_Plus);
    QVERIFY(!(*viewer)->grab().isNull());
}

void TestViewers::showsTables()
{
    QWidget parent;
    const auto viewer = makeViewer(u"a.csv"_s, "name,size\nx,1\ny,2\n", &parent);
    QVERIFY(viewer);
    const auto* table = (*viewer)->findChild<QTableView*>();
    QCOMPARE(table->model()->rowCount(), 2);
    QCOMPARE(table->model()->columnCount(), 2);
}

/// GUI-04 of ABUSE.md; in the editor: tst_codeeditor, tst_textfile, tst_windowcommands.
void TestViewers::refuses_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<Kind>("kind");
    QTest::newRow("no image") << u"a.png"_s << "hello"_ba << Kind::Invalid;
    QTest::newRow("empty") << u"a.png"_s << QByteArray() << Kind::Invalid;
    QTest::newRow("another kind") << u"a.png"_s << image("JPG", { 5, 5 }) << Kind::Invalid;
    QTest::newRow("huge") << u"a.png"_s << claimedPng(100'000, 100'000) << Kind::Limit;
    QTest::newRow("cut") << u"a.png"_s << image("PNG", { 50, 50 }).left(45) << Kind::Invalid;
    QTest::newRow("svg that reads files")
        << u"a.svg"_s
        << R"(<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9"><image xlink:href="/etc/passwd"/></svg>)"_ba
        << Kind::Invalid;
    QTest::newRow("svg bomb")
        << u"a.svg"_s
        << R"(<!DOCTYPE svg [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>&b;</text></svg>)"_ba
        << Kind::Invalid;
    QTest::newRow("binary table") << u"a.csv"_s << QByteArray(100, '\0') << Kind::Invalid;
    QTest::newRow("large table") << u"a.csv"_s << QByteArray(40 << 20, 'x') << Kind::Limit;
}

void TestViewers::refuses()
{
    QFETCH(QString, name);
    QFETCH(QByteArray, content);
    QWidget parent;
    const auto viewer = makeViewer(name, content, &parent);
    QVERIFY(!viewer);
    QTEST(viewer.error().kind, "kind");
    QVERIFY(parent.findChildren<QWidget*>().isEmpty());
}

QTEST_MAIN(TestViewers)
#include "tst_viewers.moc"
