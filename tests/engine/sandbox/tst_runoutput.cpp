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
    void keepsManyMegabytes();
    void passesLargePiecesOnAsTheyAre();
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

void TestRunOutput::keepsManyMegabytes()
{
    // Grows past everything that makes a buffer special: larger pages, moved mappings.
    constexpr int pieces = 400;
    constexpr qsizetype pieceBytes = 60'007;
    RunOutput output({}, pieces * pieceBytes);
    QByteArray all;
    all.reserve(pieces * pieceBytes);
    for (int i = 0; i < pieces; ++i) {
        const QByteArray piece(pieceBytes, char(i));
        output.add(Channel::Stdout, piece, Phase::Code);
        all += piece;
    }
    output.finish();
    QVERIFY(output.kept(Channel::Stdout) == all);
    QVERIFY(!output.isTruncated());
}

void TestRunOutput::passesLargePiecesOnAsTheyAre()
{
    RunOutput output({}, 1 << 20);
    QList<QByteArray> pieces;
    connect(&output, &RunOutput::ready, &output,
        [&pieces](Channel, const QByteArray& bytes) { pieces += bytes; });
    const QByteArray large(64 * 1024, 'L');
    output.add(Channel::Stdout, "first", Phase::Code);
    output.add(Channel::Stdout, "small", Phase::Code); // Waits for what follows.
    output.add(Channel::Stdout, large, Phase::Code);
    QCOMPARE(pieces.size(), 3);
    QCOMPARE(pieces.at(1), "small"_ba);
    QVERIFY(pieces.at(2).isSharedWith(large));
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
