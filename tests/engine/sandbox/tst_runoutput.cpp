// SPDX-License-Identifier: MIT
#include "engine/sandbox/runoutput.h"

#include <QSignalSpy>
#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;

/// Output between guest and watcher: masked, bounded, gathered, complete.
class TestRunOutput : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void firstBytesDoNotWait();
    void gathersWhatFollows();
    void keepsEverythingForTheResult();
    void keepsOnlyTheBeginning();
    void masksAcrossChunks();
    void boundsEachStream();
    void tellsPhasesApart();
};

void TestRunOutput::firstBytesDoNotWait()
{
    RunOutput output({}, 1000);
    QSignalSpy ready(&output, &RunOutput::ready);
    output.add(Channel::Stdout, "x", Phase::Code);
    QCOMPARE(ready.size(), 1);
}

void TestRunOutput::gathersWhatFollows()
{
    RunOutput output({}, 1 << 20);
    QSignalSpy ready(&output, &RunOutput::ready);
    for (int i = 0; i < 1000; ++i)
        output.add(Channel::Stdout, "x", Phase::Code);
    output.finish();
    QByteArray all;
    for (const auto& arguments : ready)
        all += arguments.at(1).toByteArray();
    QCOMPARE(all, QByteArray(1000, 'x'));
    QVERIFY(ready.size() < 1000);
}

void TestRunOutput::keepsEverythingForTheResult()
{
    RunOutput output({}, 1000);
    output.add(Channel::Stdout, "out", Phase::Setup);
    output.add(Channel::Stderr, "err", Phase::Code);
    output.finish();
    QCOMPARE(output.kept(Channel::Stdout), "out"_ba);
    QCOMPARE(output.kept(Channel::Stderr), "err"_ba);
    QVERIFY(!output.isTruncated());
}

void TestRunOutput::keepsOnlyTheBeginning()
{
    RunOutput output({}, 1000, 5);
    QSignalSpy ready(&output, &RunOutput::ready);
    for (const auto& part : { "abc"_ba, "def"_ba, "ghi"_ba })
        output.add(Channel::Stdout, part, Phase::Code);
    output.add(Channel::Stderr, "err", Phase::Code);
    output.finish();
    QByteArray all;
    for (const auto& arguments : ready)
        all += arguments.at(1).toByteArray();
    QCOMPARE(all, "abcdefghierr"_ba);
    QCOMPARE(output.kept(Channel::Stdout), "abcde"_ba);
    QCOMPARE(output.kept(Channel::Stderr), "err"_ba);
    QVERIFY(!output.isTruncated());
}

void TestRunOutput::masksAcrossChunks()
{
    RunOutput output(SecretSet({ { u"KEY"_s, u"s3cret-value"_s } }), 1000);
    for (const char byte : "a s3cret-value b"_ba)
        output.add(Channel::Stdout, QByteArray(1, byte), Phase::Code);
    output.finish();
    QCOMPARE(output.kept(Channel::Stdout), "a *** b"_ba);
}

void TestRunOutput::boundsEachStream()
{
    RunOutput output({}, 10);
    output.add(Channel::Stdout, QByteArray(100, 'x'), Phase::Code);
    output.add(Channel::Stderr, "fits", Phase::Code);
    output.finish();
    QVERIFY(output.isTruncated());
    QVERIFY(output.kept(Channel::Stdout).size() <= 10);
    QCOMPARE(output.kept(Channel::Stderr), "fits"_ba);
}

void TestRunOutput::tellsPhasesApart()
{
    RunOutput output({}, 1000);
    QSignalSpy ready(&output, &RunOutput::ready);
    output.add(Channel::Stdout, "1", Phase::Setup);
    output.add(Channel::Stdout, "2", Phase::Setup);
    output.finishPhase();
    output.add(Channel::Stdout, "3", Phase::Code);
    output.finish();
    QByteArray setup;
    QByteArray code;
    for (const auto& arguments : ready)
        (arguments.at(2).value<Phase>() == Phase::Setup ? setup : code)
            += arguments.at(1).toByteArray();
    QCOMPARE(setup, "12"_ba);
    QCOMPARE(code, "3"_ba);
}

QTEST_GUILESS_MAIN(TestRunOutput)
#include "tst_runoutput.moc"
