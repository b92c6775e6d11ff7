// SPDX-License-Identifier: MIT
#include "engine/remote/eventreader.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8;
using namespace isol8::remote;

class TestEventReader : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsEvents_data();
    void readsEvents();
    void boundsEvents_data();
    void boundsEvents();
};

void TestEventReader::readsEvents_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QList<QByteArray>>("events");
    using Events = QList<QByteArray>;
    const auto row = [](const char* name, const QByteArray& text, const Events& events) {
        QTest::newRow(name) << text << events;
    };
    row("one", "data: a\n\n", { "a" });
    row("two", "data: a\n\ndata: b\n\n", { "a", "b" });
    row("CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", { "a", "b" });
    row("CR", "data: a\r\rdata: b\r\r", { "a", "b" });
    row("no space", "data:a\n\n", { "a" });
    row("two spaces", "data:  a\n\n", { " a" });
    row("lines", "data: a\ndata: b\n\n", { "a\nb" });
    row("empty data", "data\n\n", { "" });
    row("empty value", "data:\n\n", { "" });
    row("comment", ": heartbeat\n\ndata: a\n\n", { "a" });
    row("other fields", "event: x\nid: 1\nretry: 5\ndatabase: 1\ndata: a\n\n", { "a" });
    row("unfinished", "data: a\n\ndata: b\n", { "a" });
    row("nothing", "\n\n\n\r\r\n", {});
    row("NUL and UTF-8", QByteArray("data: a\0\xc3\xa4\n\n", 12), { QByteArray("a\0\xc3\xa4", 4) });
}

void TestEventReader::readsEvents()
{
    QFETCH(QByteArray, text);
    EventReader whole;
    const auto events = whole.feed(text);
    QVERIFY(events);
    QTEST(*events, "events");

    EventReader bytewise;
    QList<QByteArray> collected;
    for (const char byte : text) {
        const auto some = bytewise.feed(QByteArray(1, byte));
        QVERIFY(some);
        collected += *some;
    }
    QTEST(collected, "events");
}

void TestEventReader::boundsEvents_data()
{
    QTest::addColumn<QByteArray>("piece");
    const QByteArray filler(64 << 10, 'x');
    QTest::newRow("endless line") << filler;
    QTest::newRow("endless event") << "data: " + filler + "\n";
}

void TestEventReader::boundsEvents()
{
    QFETCH(QByteArray, piece);
    EventReader reader;
    qint64 fed = 0;
    while (fed < 2 * maxEventBytes) {
        const auto events = reader.feed(piece);
        fed += piece.size();
        if (!events) {
            QCOMPARE(events.error().kind, Kind::Protocol);
            QVERIFY(fed > maxEventBytes / 2);
            return;
        }
        QVERIFY(events->isEmpty());
    }
    QFAIL("never refused");
}

QTEST_GUILESS_MAIN(TestEventReader)
#include "tst_eventreader.moc"
