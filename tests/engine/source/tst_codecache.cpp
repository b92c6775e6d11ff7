// SPDX-License-Identifier: MIT
#include "engine/source/codecache.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

class TestCodeCache : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { m_directory = std::make_unique<QTemporaryDir>(); }
    void findsWhatItStored();
    void forgetsAfterItsLifetime();
    void trustsNoOtherClock();
    void equalCodeIsKeptOnce();
    void damageIsAMiss_data();
    void damageIsAMiss();
    void isPrivate();
    void isBounded();
    void cannotBeWritten();

private:
    [[nodiscard]] CodeCache cache(CodeCache::Limits limits = {}) const
    {
        return { path(), limits };
    }
    [[nodiscard]] QString path() const { return m_directory->filePath(u"a/cache"_s); }
    [[nodiscard]] QStringList files(const QString& pattern) const
    {
        return QDir(path()).entryList({ pattern }, QDir::Files);
    }

    std::unique_ptr<QTemporaryDir> m_directory;
    const QDateTime m_now = QDateTime::currentDateTimeUtc();
    const QString m_url = u"https://example.test/a.py"_s;
    const CodeCache::Entry m_entry { { m_url, u"https://b.test/"_s }, "print(1)" };
};

void TestCodeCache::findsWhatItStored()
{
    QVERIFY(!cache().find(m_url, m_now));
    QVERIFY(cache().store(m_entry, m_now));
    const auto found = cache().find(m_url, m_now);
    QVERIFY(found);
    QCOMPARE(found->code, m_entry.code);
    QCOMPARE(found->urls, m_entry.urls);
    QVERIFY(!cache().find(u"https://b.test/"_s, m_now));
    // The last one counts.
    QVERIFY(cache().store({ m_entry.urls, "print(2)" }, m_now));
    QCOMPARE(cache().find(m_url, m_now)->code, "print(2)");
    QVERIFY(cache().store({ m_entry.urls, QByteArray() }, m_now));
    QVERIFY(cache().find(m_url, m_now)->code.isEmpty());
}

void TestCodeCache::forgetsAfterItsLifetime()
{
    const auto brief = cache({ .lifetime = 60s });
    QVERIFY(brief.store(m_entry, m_now));
    QVERIFY(brief.find(m_url, m_now.addSecs(59)));
    QVERIFY(!brief.find(m_url, m_now.addSecs(60)));
    // What is stored later clears away what is old.
    QVERIFY(brief.store({ { u"https://c.test/"_s }, "3" }, m_now.addSecs(3600)));
    QCOMPARE(files(u"*.url"_s).size() + files(u"*.code"_s).size(), 0);
}

void TestCodeCache::trustsNoOtherClock()
{
    QVERIFY(cache().store(m_entry, m_now));
    QVERIFY(!cache().find(m_url, m_now.addSecs(-10)));
}

void TestCodeCache::equalCodeIsKeptOnce()
{
    QVERIFY(cache().store(m_entry, m_now));
    QVERIFY(cache().store({ { u"https://c.test/"_s }, m_entry.code }, m_now));
    QCOMPARE(files(u"*.url"_s).size(), 2);
    QCOMPARE(files(u"*.code"_s).size(), 1);
}

void TestCodeCache::damageIsAMiss_data()
{
    QTest::addColumn<QString>("pattern");
    QTest::addColumn<QByteArray>("content");
    QTest::newRow("other code") << u"*.code"_s << "print(666)"_ba;
    QTest::newRow("cut code") << u"*.code"_s << "print("_ba;
    QTest::newRow("empty note") << u"*.url"_s << ""_ba;
    QTest::newRow("no JSON") << u"*.url"_s << "{"_ba;
    QTest::newRow("path in the note")
        << u"*.url"_s
        << R"({"urls":["https://example.test/a.py"],"sha256":"../../../etc/passwd","fetched":"2000-01-01T00:00:00Z"})"_ba;
}

void TestCodeCache::damageIsAMiss()
{
    QFETCH(QString, pattern);
    QFETCH(QByteArray, content);
    QVERIFY(cache().store(m_entry, m_now));
    QFile file(path() + u'/' + files(pattern).value(0));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(content);
    file.close();
    QVERIFY(!cache().find(m_url, m_now));
    QVERIFY(cache().store(m_entry, m_now));
    QVERIFY(cache().find(m_url, m_now));
}

void TestCodeCache::isPrivate()
{
    QVERIFY(cache().store(m_entry, m_now));
    constexpr auto others = QFileDevice::ReadGroup | QFileDevice::ReadOther
        | QFileDevice::WriteGroup | QFileDevice::WriteOther;
    QCOMPARE(QFile::permissions(path()) & others, 0);
    for (const auto& name : files(u"*"_s))
        QCOMPARE(QFile::permissions(path() + u'/' + name) & others, 0);
    QCOMPARE(files(u"*"_s).size(), 2);
}

void TestCodeCache::isBounded()
{
    const auto small = cache({ .maxBytes = 10'000 });
    for (int i = 0; i < 20; ++i)
        QVERIFY(small.store(
            { { u"https://example.test/%1"_s.arg(i) }, QByteArray(3000, char('a' + i)) }, m_now));
    qint64 bytes = 0;
    for (const auto& file : QDir(path()).entryInfoList(QDir::Files))
        bytes += file.size();
    QVERIFY2(bytes <= 10'000, QByteArray::number(bytes));
    QVERIFY(small.find(u"https://example.test/19"_s, m_now));

    const auto few = cache({ .maxFiles = 6 });
    for (int i = 0; i < 20; ++i)
        QVERIFY(few.store({ { u"https://few.test/%1"_s.arg(i) }, QByteArray::number(i) }, m_now));
    QVERIFY(files(u"*"_s).size() <= 6);
}

void TestCodeCache::cannotBeWritten()
{
    QFile blocking(m_directory->filePath(u"a"_s));
    QVERIFY(blocking.open(QIODevice::WriteOnly));
    QVERIFY(!cache().store(m_entry, m_now));
    QVERIFY(!cache().find(m_url, m_now));
}

QTEST_GUILESS_MAIN(TestCodeCache)
#include "tst_codecache.moc"
