// SPDX-License-Identifier: MIT
#include "engine/core/units.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8;
using std::chrono::milliseconds;

class TestUnits : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsDurations_data();
    void readsDurations();
    void readsSizes_data();
    void readsSizes();
    void readsCpus_data();
    void readsCpus();
    void readsCounts_data();
    void readsCounts();
    void refusesWhatIsNoNumber_data();
    void refusesWhatIsNoNumber();
    void showsBadValuesEscapedAndShort();
    void writesSizes_data();
    void writesSizes();
    void writesDurations_data();
    void writesDurations();
};

namespace {

/// A row of -1 says that the text is refused.
void numberRows(std::initializer_list<std::pair<const char*, qint64>> rows)
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<qint64>("expected");
    for (const auto& [text, expected] : rows)
        QTest::newRow(text) << QString::fromUtf8(text) << expected;
}

} // namespace

void TestUnits::readsDurations_data()
{
    numberRows({ { "1", 1 }, { "30000", 30'000 }, { "500ms", 500 }, { "30s", 30'000 },
        { "5m", 300'000 }, { "1h", 3'600'000 }, { "24d", 2'073'600'000 }, { "0030", 30 },
        { "25d", -1 }, { "2073600001", -1 }, { "0", -1 }, { "0s", -1 }, { "5S", -1 }, { "5 s", -1 },
        { "1.5s", -1 }, { "1h30m", -1 }, { "s", -1 }, { "5min", -1 },
        { "9223372036854775807h", -1 } });
}

void TestUnits::readsDurations()
{
    QFETCH(QString, text);
    QFETCH(qint64, expected);
    const auto duration = parseDuration(text, u"--timeout"_s);
    QCOMPARE(duration ? duration->count() : -1, expected);
}

void TestUnits::readsSizes_data()
{
    numberRows({ { "1", 1 }, { "1048576", 1 << 20 }, { "17b", 17 }, { "256k", 256 << 10 },
        { "512m", 512 << 20 }, { "512M", 512 << 20 }, { "512mb", 512 << 20 },
        { "512MiB", 512 << 20 }, { "1GiB", 1 << 30 }, { "1g", 1 << 30 }, { "2t", 2LL << 40 },
        { "1024t", 1LL << 50 }, { "1025t", -1 }, { "999999999999g", -1 }, { "-1m", -1 },
        { "0", -1 }, { "0g", -1 }, { "1.5g", -1 }, { "m", -1 }, { "5 m", -1 }, { "1e3m", -1 },
        { "５m", -1 }, { "50%", -1 }, { "64m\n", -1 }, { "64m,exec", -1 }, { "1mi", -1 },
        { "1x", -1 }, { "1mm", -1 }, { "9223372036854775808", -1 } });
}

void TestUnits::readsSizes()
{
    QFETCH(QString, text);
    QFETCH(qint64, expected);
    QCOMPARE(parseSize(text, u"--memory"_s).value_or(-1), expected);
}

void TestUnits::readsCpus_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<double>("expected");
    const std::initializer_list<std::pair<const char*, double>> rows { { "1", 1 }, { "0.5", 0.5 },
        { "2.25", 2.25 }, { "0.01", 0.01 }, { "1024", 1024 }, { "0.001", -1 }, { "0", -1 },
        { "1025", -1 }, { "-1", -1 }, { "+1", -1 }, { ".5", -1 }, { "1.", -1 }, { "1.2.3", -1 },
        { "1e2", -1 }, { "1,5", -1 }, { "nan", -1 }, { "inf", -1 }, { "0x1", -1 } };
    for (const auto& [text, expected] : rows)
        QTest::newRow(text) << QString::fromUtf8(text) << expected;
}

void TestUnits::readsCpus()
{
    QFETCH(QString, text);
    QFETCH(double, expected);
    QCOMPARE(parseCpu(text, u"--cpu"_s).value_or(-1), expected);
}

void TestUnits::readsCounts_data()
{
    numberRows({ { "4", 4 }, { "64", 64 }, { "100", 100 }, { "3", -1 }, { "101", -1 },
        { "064", 64 }, { "64k", -1 }, { "6.4", -1 } });
}

void TestUnits::readsCounts()
{
    QFETCH(QString, text);
    QFETCH(qint64, expected);
    QCOMPARE(parseCount(text, u"--pids-limit"_s, 4, 100).value_or(-1), expected);
}

void TestUnits::refusesWhatIsNoNumber_data()
{
    QTest::addColumn<QString>("text");
    for (const char* text : { "abc", "-1", "0", "1e400", "99999999999999999999", "0x10", " 5", "5 ",
             "٥", "1,5", "NaN", "inf", "", "+5", "5\n", "--5", "1_000", "²" })
        QTest::newRow(text) << QString::fromUtf8(text);
    QTest::newRow("nul") << QString(u"5") + QChar(u'\0');
}

void TestUnits::refusesWhatIsNoNumber()
{
    QFETCH(QString, text);
    const QString what = u"--option"_s;
    const std::array errors { parseDuration(text, what).error_or(Error {}),
        parseSize(text, what).error_or(Error {}), parseCpu(text, what).error_or(Error {}),
        parseCount(text, what, 1, 1000).error_or(Error {}) };
    for (const Error& error : errors) {
        QCOMPARE(error.kind, Kind::Invalid);
        QVERIFY(error.message.startsWith(u"--option: invalid value \""));
        QVERIFY(error.message.contains(u"allowed are"));
    }
}

void TestUnits::showsBadValuesEscapedAndShort()
{
    const auto size = parseSize(u"\x1b]52;c;x\a"_s + QString(5000, u'9'), u"--memory"_s);
    QVERIFY(!size);
    QVERIFY(size.error().message.contains(u"\\x1b"));
    QVERIFY(!size.error().message.contains(u'\x1b'));
    QVERIFY(size.error().message.size() < 300);
}

void TestUnits::writesSizes_data()
{
    QTest::addColumn<qint64>("bytes");
    QTest::addColumn<QString>("exact");
    QTest::addColumn<QString>("forPeople");
    QTest::newRow("0") << 0LL << u"0"_s << u"0 bytes"_s;
    QTest::newRow("1") << 1LL << u"1"_s << u"1 byte"_s;
    QTest::newRow("1000") << 1000LL << u"1000"_s << u"1000 bytes"_s;
    QTest::newRow("1k") << 1024LL << u"1k"_s << u"1 KiB"_s;
    QTest::newRow("1536") << 1536LL << u"1536"_s << u"1.5 KiB"_s;
    QTest::newRow("512m") << (512LL << 20) << u"512m"_s << u"512 MiB"_s;
    QTest::newRow("1.5g") << (3LL << 29) << u"1536m"_s << u"1.5 GiB"_s;
    QTest::newRow("below 1m") << (1LL << 20) - 1 << u"1048575"_s << u"1 MiB"_s;
    QTest::newRow("2t") << (2LL << 40) << u"2t"_s << u"2 TiB"_s;
}

void TestUnits::writesSizes()
{
    QFETCH(qint64, bytes);
    QFETCH(QString, exact);
    QFETCH(QString, forPeople);
    QCOMPARE(sizeText(bytes), exact);
    QCOMPARE(formatSize(bytes), forPeople);
    if (bytes > 0)
        QCOMPARE(parseSize(exact, {}), bytes);
}

void TestUnits::writesDurations_data()
{
    QTest::addColumn<qint64>("ms");
    QTest::addColumn<QString>("text");
    QTest::newRow("0") << 0LL << u"0 ms"_s;
    QTest::newRow("12") << 12LL << u"12 ms"_s;
    QTest::newRow("1500") << 1500LL << u"1.5 s"_s;
    QTest::newRow("30 s") << 30'000LL << u"30 s"_s;
    QTest::newRow("nearly a minute") << 59'990LL << u"1 min"_s;
    QTest::newRow("125 s") << 125'000LL << u"2 min 5 s"_s;
    QTest::newRow("200 min") << 12'000'000LL << u"3 h 20 min"_s;
    QTest::newRow("24 d") << 2'073'600'000LL << u"24 d"_s;
    QTest::newRow("49 h") << 176'400'000LL << u"2 d 1 h"_s;
}

void TestUnits::writesDurations()
{
    QFETCH(qint64, ms);
    QFETCH(QString, text);
    QCOMPARE(formatDuration(milliseconds(ms)), text);
}

QTEST_GUILESS_MAIN(TestUnits)
#include "tst_units.moc"
