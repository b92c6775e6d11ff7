// SPDX-License-Identifier: MIT
#include "engine/docker/eventreader.h"

#include <QTest>

using namespace isol8;
using namespace isol8::docker;
using namespace Qt::StringLiterals;

/// The lines of Docker's stream of events.
class TestDockerEvents : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { m_events.clear(); }

    void readsEventsOfBothKinds()
    {
        auto reader = makeReader();
        QVERIFY(reader.feed(m_lines));
        QCOMPARE(m_events, m_expected);
    }

    void readsByteByByte()
    {
        auto reader = makeReader();
        for (const char byte : std::as_const(m_lines))
            QVERIFY(reader.feed(QByteArray(1, byte)));
        QCOMPARE(m_events, m_expected);
    }

    void keepsALineThatIsNotComplete()
    {
        auto reader = makeReader();
        QVERIFY(reader.feed(m_lines.chopped(1)));
        QCOMPARE(m_events.size(), m_expected.size() - 1);
        QVERIFY(reader.feed("\r\n\n"));
        QCOMPARE(m_events, m_expected);
    }

    void toleratesWhatIsMissing()
    {
        auto reader = makeReader();
        QVERIFY(reader.feed("{}\n{\"Actor\":null,\"Action\":7}\n"));
        QCOMPARE(m_events, QList<Event>({ Event(), Event() }));
    }

    void refusesWhatIsNotAnObject()
    {
        for (const auto* line : { "[]\n", "1\n", "{\n", "\x00\x01\n" }) {
            auto reader = makeReader();
            const auto taken = reader.feed(line);
            QVERIFY(!taken);
            QCOMPARE(taken.error().kind, Kind::Protocol);
        }
    }

    void boundsALine()
    {
        auto reader = makeReader();
        const auto taken = reader.feed(QByteArray(EventReader::maxLineBytes + 1, ' '));
        QVERIFY(!taken);
        QCOMPARE(taken.error().kind, Kind::Protocol);
    }

private:
    EventReader makeReader()
    {
        return EventReader([this](const Event& event) { m_events << event; });
    }

    QList<Event> m_events;
    // As Docker 20.10 writes them.
    const QByteArray m_lines
        = R"({"status":"die","id":"c1","from":"isol8:python","Type":"container","Action":"die","Actor":{"ID":"c1","Attributes":{"exitCode":"0"}},"scope":"local","time":1,"timeNano":1}
{"status":"tag","id":"sha256:1","Type":"image","Action":"tag","Actor":{"ID":"sha256:1","Attributes":{"name":"isol8:python"}},"scope":"local","time":1,"timeNano":1}
)";
    const QList<Event> m_expected { { u"container"_s, u"die"_s, u"c1"_s },
        { u"image"_s, u"tag"_s, u"sha256:1"_s } };
};

QTEST_GUILESS_MAIN(TestDockerEvents)
#include "tst_dockerevents.moc"
