// SPDX-License-Identifier: MIT
#include "tests/ui/support/fulldisk.h"

#include "ui/editor/textfile.h"

#include <QDir>
#include <QFileInfo>
#include <QTemporaryDir>
#include <QTest>

#include <sys/stat.h>

using namespace isol8;
using namespace isol8::tests;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// Files that come back as they went, and those that are no texts.
class TestTextFile : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void bytesSurvive_data();
    void bytesSurvive();
    void tellsWhenTheyWouldNot_data();
    void tellsWhenTheyWouldNot();
    void refusesBinaryFiles();
    void refusesWhatIsNoFile();
    void keepsModeAndLink();
    void failedSaveLeavesTheOldFile();

private:
    QString write(const QString& name, const QByteArray& content);
    QTemporaryDir m_directory;
};

QString TestTextFile::write(const QString& name, const QByteArray& content)
{
    QFile file(m_directory.filePath(name));
    if (!file.open(QIODevice::WriteOnly) || file.write(content) != content.size())
        qFatal("cannot write");
    return file.fileName();
}

void TestTextFile::bytesSurvive_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("unix") << "a\nb\n"_ba;
    QTest::newRow("no end") << "a\nb"_ba;
    QTest::newRow("windows") << "a\r\nb\r\n"_ba;
    QTest::newRow("mark") << "\xef\xbb\xbf"
                             "a\n"_ba;
    QTest::newRow("umlauts") << "ä€🐙\n"_ba;
}

void TestTextFile::bytesSurvive()
{
    QFETCH(QByteArray, bytes);
    const auto path = write(u"a"_s, bytes);
    const auto text = readTextFile(path);
    QVERIFY(text);
    QVERIFY(!text->isLossy);
    QVERIFY(!text->text.contains(u'\r'));
    QVERIFY(writeTextFile(path, *text));
    QFile file(path);
    QVERIFY(file.open(QIODevice::ReadOnly));
    QCOMPARE(file.readAll(), bytes);
}

void TestTextFile::tellsWhenTheyWouldNot_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::newRow("latin 1") << "stra\xdf"
                                "e\n"_ba;
    QTest::newRow("cut character") << "a\xe2\x82"_ba;
    QTest::newRow("old mac") << "a\rb\r"_ba;
    QTest::newRow("separator") << "a\xe2\x80\xa9"
                                  "b"_ba;
}

void TestTextFile::tellsWhenTheyWouldNot()
{
    QFETCH(QByteArray, bytes);
    const auto text = decodeText(bytes);
    QVERIFY(text);
    QVERIFY(text->isLossy);
}

void TestTextFile::refusesBinaryFiles()
{
    const auto text = decodeText(QByteArray("\x7f"
                                            "ELF\0\0",
        6));
    QVERIFY(!text);
    QCOMPARE(text.error().kind, Kind::Invalid);
}

void TestTextFile::refusesWhatIsNoFile()
{
    QVERIFY(!readTextFile(m_directory.path()));
    QCOMPARE(readTextFile(m_directory.filePath(u"none"_s)).error().kind, Kind::NotFound);
    const auto fifo = m_directory.filePath(u"fifo"_s);
    QCOMPARE(::mkfifo(QFile::encodeName(fifo).constData(), 0600), 0);
    QVERIFY(!readTextFile(fifo));
    const auto huge = write(u"huge"_s, {});
    QVERIFY(QFile::resize(huge, maxEditedBytes + 1));
    QCOMPARE(readTextFile(huge).error().kind, Kind::Limit);
}

void TestTextFile::keepsModeAndLink()
{
    const auto path = write(u"script.sh"_s, "old");
    QVERIFY(QFile::setPermissions(path, QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner));
    const auto link = m_directory.filePath(u"link"_s);
    QVERIFY(QFile::link(path, link));
    FileText text;
    text.text = u"new"_s;
    QVERIFY(writeTextFile(link, text));
    QVERIFY(QFileInfo(link).isSymLink());
    QCOMPARE(readTextFile(path)->text, u"new"_s);
    QVERIFY(QFileInfo(path).isExecutable());
}

void TestTextFile::failedSaveLeavesTheOldFile()
{
    FileText text;
    text.text = u"new"_s;
    const auto full = writeTextFile(u"/dev/full/x"_s, text);
    QVERIFY(!full);
    QVERIFY(full.error().message.contains(u"/dev/full/x"_s));
    QVERIFY(!writeTextFile(m_directory.filePath(u"no/such/folder"_s), text));

    const auto path = write(u"old"_s, "old");
    text.text = QString(5000, u'x');
    {
        const FullDisk disk(1000);
        QVERIFY(!writeTextFile(path, text));
    }
    QCOMPARE(readTextFile(path)->text, u"old"_s);
    QCOMPARE(
        QDir(m_directory.path()).entryList({ u"old*"_s }, QDir::Files), QStringList { u"old"_s });
}

QTEST_GUILESS_MAIN(TestTextFile)
#include "tst_textfile.moc"
