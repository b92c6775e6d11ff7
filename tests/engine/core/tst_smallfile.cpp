// SPDX-License-Identifier: MIT
#include "engine/core/smallfile.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <sys/stat.h>

using namespace Qt::StringLiterals;
using namespace isol8;

class TestSmallFile : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsUpToTheBound_data();
    void readsUpToTheBound();
    void readsWhatHasNoSize();
    void refusesWhatIsNoFile();
    void refusesAnEndlessDevice();
    void followsLinks();
    void doesNotReadAHugeSparseFile();

private:
    [[nodiscard]] QString at(const QString& name) const { return m_directory.filePath(name); }
    QTemporaryDir m_directory;
};

void TestSmallFile::readsUpToTheBound_data()
{
    QTest::addColumn<int>("size");
    QTest::addColumn<int>("bound");
    QTest::addColumn<bool>("isRead");
    QTest::newRow("empty") << 0 << 0 << true;
    QTest::newRow("one too many") << 1 << 0 << false;
    QTest::newRow("exact") << 10'000 << 10'000 << true;
    QTest::newRow("over") << 10'001 << 10'000 << false;
    QTest::newRow("under") << 5 << 10'000 << true;
}

void TestSmallFile::readsUpToTheBound()
{
    QFETCH(int, size);
    QFETCH(int, bound);
    QFETCH(bool, isRead);
    QFile file(at(u"file"_s));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(QByteArray(size, 'x'));
    file.close();
    const auto content = readSmallFile(file.fileName(), bound);
    QCOMPARE(content.has_value(), isRead);
    if (content)
        QCOMPARE(*content, QByteArray(size, 'x'));
    else
        QCOMPARE(content.error().kind, Kind::Limit);
}

void TestSmallFile::readsWhatHasNoSize()
{
    const auto content = readSmallFile(u"/proc/self/status"_s, 1 << 20);
    QVERIFY(content);
    QVERIFY(content->startsWith("Name:"));
    const auto bounded = readSmallFile(u"/proc/self/status"_s, 10);
    QVERIFY(!bounded);
    QCOMPARE(bounded.error().kind, Kind::Limit);
}

void TestSmallFile::refusesWhatIsNoFile()
{
    const auto error
        = [this](const QString& name) { return readSmallFile(at(name), 100).error_or(Error {}); };
    QCOMPARE(error(u"missing"_s).kind, Kind::NotFound);
    QVERIFY(error(u"missing"_s).message.contains(at(u"missing"_s)));
    QCOMPARE(error(u"."_s).kind, Kind::Invalid);
    QCOMPARE(::mkfifo(QFile::encodeName(at(u"fifo"_s)).constData(), 0600), 0);
    QCOMPARE(error(u"fifo"_s).kind, Kind::Invalid);
    QCOMPARE(error(u"a\nb"_s).message.count(u'\n'), 0);
    QCOMPARE(readSmallFile({}, 100).error_or(Error {}).kind, Kind::Invalid);
    QCOMPARE(error(QString(QChar(u'\0')) + u"x"_s).kind, Kind::Invalid);
}

void TestSmallFile::refusesAnEndlessDevice()
{
    QCOMPARE(readSmallFile(u"/dev/zero"_s, 100).error_or(Error {}).kind, Kind::Invalid);
}

void TestSmallFile::followsLinks()
{
    QFile file(at(u"target"_s));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("text");
    file.close();
    QVERIFY(QFile::link(file.fileName(), at(u"link"_s)));
    QCOMPARE(readSmallFile(at(u"link"_s), 100), QByteArray("text"));
    QVERIFY(QFile::link(at(u"loop"_s), at(u"loop"_s)));
    QVERIFY(!readSmallFile(at(u"loop"_s), 100));
}

void TestSmallFile::doesNotReadAHugeSparseFile()
{
    QFile file(at(u"sparse"_s));
    QVERIFY(file.open(QIODevice::WriteOnly));
    QVERIFY(file.resize(1LL << 40));
    QCOMPARE(readSmallFile(file.fileName(), 1 << 20).error_or(Error {}).kind, Kind::Limit);
}

QTEST_GUILESS_MAIN(TestSmallFile)
#include "tst_smallfile.moc"
