// SPDX-License-Identifier: MIT
#include "ui/history/historystore.h"

#include "ui/run/runplan.h"

#include <QDir>
#include <QFileInfo>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using namespace isol8;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// Past runs: kept, found, bounded, and without secrets.
class TestHistoryStore : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup() { m_store.reset(); }

    void keepsARun();
    void failedRunsAreKeptToo();
    void findsByNameCodeAndOutput_data();
    void findsByNameCodeAndOutput();
    void secretsAreNowhereInTheFile();
    void dropsTheOldest();
    void removesAndClears();
    void onlyTheOwnerReadsIt();
    void unusableFileIsTold_data();
    void unusableFileIsTold();

private:
    void add(const QString& title, const QByteArray& code = "x", const QString& output = {},
        const RunSettings& settings = {});
    [[nodiscard]] QByteArray everything() const;

    std::unique_ptr<QTemporaryDir> m_directory;
    std::unique_ptr<HistoryStore> m_store;
};

void TestHistoryStore::init()
{
    m_directory = std::make_unique<QTemporaryDir>();
    m_store = std::make_unique<HistoryStore>(m_directory->filePath(u"history.sqlite"_s));
    QCOMPARE(m_store->problem(), QString());
}

void TestHistoryStore::add(const QString& title, const QByteArray& code, const QString& output,
    const RunSettings& settings)
{
    auto job = planRun({ code, title, u"/home/me/"_s + title }, settings, {});
    if (!job)
        qFatal("%s", qPrintable(job.error().message));
    job->targetName = u"This computer"_s;
    ExecutionResult result;
    result.duration = std::chrono::milliseconds(5);
    m_store->add(*job, result, output);
}

/// The bytes of all its files.
QByteArray TestHistoryStore::everything() const
{
    QByteArray bytes;
    for (const auto& info : QDir(m_directory->path()).entryInfoList(QDir::Files)) {
        QFile file(info.filePath());
        if (file.open(QIODevice::ReadOnly))
            bytes += file.readAll();
    }
    return bytes;
}

void TestHistoryStore::keepsARun()
{
    QSignalSpy changed(m_store.get(), &HistoryStore::changed);
    RunSettings settings;
    settings.arguments = { u"-v"_s };
    add(u"a.py"_s, "print(1)", u"1\n"_s, settings);
    QCOMPARE(changed.size(), 1);
    const auto entries = m_store->find({}, 10);
    QCOMPARE(entries.size(), 1);
    QCOMPARE(entries[0].title, u"a.py"_s);
    QCOMPARE(entries[0].targetName, u"This computer"_s);
    QVERIFY(entries[0].isGood);
    const auto details = m_store->details(entries[0].id);
    QVERIFY(details);
    QCOMPARE(details->code, u"print(1)"_s);
    QCOMPARE(details->output, u"1\n"_s);
    QCOMPARE(details->settings.arguments, QStringList { u"-v"_s });
    QVERIFY(!m_store->details(entries[0].id + 1));
}

void TestHistoryStore::failedRunsAreKeptToo()
{
    const auto job = planRun({ "x", u"a.py"_s, {} }, {}, {});
    m_store->add(*job, failure(Kind::Unreachable, u"nobody there"_s), {});
    QVERIFY(!m_store->find({}, 10).constFirst().isGood);
    QVERIFY(m_store->find({}, 10).constFirst().ending.contains(u"nobody there"_s));
}

void TestHistoryStore::findsByNameCodeAndOutput_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QStringList>("titles");
    QTest::newRow("all") << u""_s << QStringList { u"c.py"_s, u"b.py"_s, u"a.py"_s };
    QTest::newRow("name") << u"B.PY"_s << QStringList { u"b.py"_s };
    QTest::newRow("code") << u"import os"_s << QStringList { u"b.py"_s };
    QTest::newRow("output") << u"100%"_s << QStringList { u"c.py"_s };
    QTest::newRow("wildcards are text") << u"1_0%"_s << QStringList {};
    QTest::newRow("quotes") << u"' OR 1=1 --"_s << QStringList {};
    QTest::newRow("backslash") << u"\\"_s << QStringList { u"a.py"_s };
}

void TestHistoryStore::findsByNameCodeAndOutput()
{
    QFETCH(QString, text);
    add(u"a.py"_s, "print('\\\\')", u"nothing"_s);
    add(u"b.py"_s, "import os", u"nothing"_s);
    add(u"c.py"_s, "x", u"100%\n"_s);
    QStringList titles;
    for (const auto& entry : m_store->find(text, 10))
        titles << entry.title;
    QTEST(titles, "titles");
    QCOMPARE(m_store->find({}, 2).size(), 2);
}

void TestHistoryStore::secretsAreNowhereInTheFile()
{
    const auto secret = u"s3cret-value-of-mine"_s;
    RunSettings settings;
    settings.options.secrets = { { u"TOKEN"_s, secret } };
    settings.arguments = { u"--token="_s + secret };
    settings.environment = { { u"X"_s, secret } };
    settings.stdinText = secret;
    settings.setupScript = u"echo "_s + secret;
    add(u"a.py"_s, "token = '" + secret.toUtf8() + "'", u"it is "_s + secret, settings);
    const auto details = m_store->details(m_store->find({}, 1).constFirst().id);
    QVERIFY(details->output.startsWith(u"it is "_s));
    QVERIFY(details->settings.options.secrets.contains(u"TOKEN"_s));
    m_store.reset();
    QVERIFY(!everything().contains(secret.toUtf8()));
}

void TestHistoryStore::dropsTheOldest()
{
    m_store->setLimit(100'000);
    for (int i = 0; i < 50; ++i)
        add(u"%1.py"_s.arg(i), "x", QString(10'000, u'x'));
    QVERIFY(m_store->contentBytes() <= 100'000);
    const auto entries = m_store->find({}, 100);
    QVERIFY(entries.size() >= 5 && entries.size() < 10);
    QCOMPARE(entries.constFirst().title, u"49.py"_s);
    m_store->setLimit(1);
    QVERIFY(m_store->find({}, 100).isEmpty());
}

void TestHistoryStore::removesAndClears()
{
    add(u"a.py"_s);
    add(u"b.py"_s);
    m_store->remove({ m_store->find(u"a.py"_s, 1).constFirst().id });
    QCOMPARE(m_store->find({}, 10).size(), 1);
    m_store->clear();
    QVERIFY(m_store->find({}, 10).isEmpty());
    QCOMPARE(m_store->contentBytes(), 0);
}

void TestHistoryStore::onlyTheOwnerReadsIt()
{
    add(u"a.py"_s);
    for (const auto& info : QDir(m_directory->path()).entryInfoList(QDir::Files))
        QVERIFY2(!(info.permissions() & (QFile::ReadGroup | QFile::ReadOther)),
            qPrintable(info.fileName()));
}

void TestHistoryStore::unusableFileIsTold_data()
{
    QTest::addColumn<QByteArray>("content");
    QTest::newRow("no folder") << QByteArray();
    QTest::newRow("no database") << QByteArray(5000, 'x');
}

void TestHistoryStore::unusableFileIsTold()
{
    QFETCH(QByteArray, content);
    auto path = m_directory->filePath(u"no/such/folder/history"_s);
    if (!content.isEmpty()) {
        path = m_directory->filePath(u"broken"_s);
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(content);
    }
    HistoryStore store(path);
    QVERIFY(!store.problem().isEmpty());
    const auto job = planRun({ "x", u"a.py"_s, {} }, {}, {});
    store.add(*job, ExecutionResult(), u"x"_s);
    QVERIFY(store.find({}, 10).isEmpty());
    QVERIFY(!store.details(1));
    store.clear();
}

QTEST_GUILESS_MAIN(TestHistoryStore)
#include "tst_historystore.moc"
