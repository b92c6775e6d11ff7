// SPDX-License-Identifier: MIT
#include "engine/images/rootfs.h"

#include <QCoroTask>
#include <QDir>
#include <QTemporaryDir>
#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;

/// The programs unshare and mmdebstrap are scripts of the test here.
class TestRootfs : public QObject {
    Q_OBJECT

private:
    std::unique_ptr<QTemporaryDir> m_directory;
    QByteArray m_path;

    void writeProgram(const QString& name, const QByteArray& script) const
    {
        QFile file(m_directory->filePath(u"bin/"_s + name));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("#!/bin/sh\n" + script);
        QVERIFY(file.setPermissions(file.permissions() | QFile::ExeOwner));
    }
    RootfsSpec spec() const
    {
        return { u"http://mirror.example/debian"_s, m_directory->path(),
            m_directory->filePath(u"rootfs.tar"_s), {} };
    }
    static ImageEventHandler ignoring()
    {
        return [](const ImageEvent&) { };
    }

private Q_SLOTS:
    void init()
    {
        m_path = qgetenv("PATH");
        m_directory = std::make_unique<QTemporaryDir>();
        QVERIFY(QDir(m_directory->path()).mkpath(u"bin"_s));
        qputenv("PATH", QFile::encodeName(m_directory->filePath(u"bin"_s)) + ":" + m_path);
        // Stands for unshare(1): skips its options.
        writeProgram(u"unshare"_s, "while [ \"$1\" != -- ]; do shift; done\nshift\nexec \"$@\"\n");
    }

    void cleanup() { qputenv("PATH", m_path); }

    void runsMmdebstrapForTheSuite()
    {
        writeProgram(u"mmdebstrap"_s,
            "printf '%s\\n' \"$@\" >\"$TMPDIR/arguments\"\nprintf '%s' \"$ISOL8_FINISH\" "
            ">\"$TMPDIR/finish\"\n");
        const auto made = QCoro::waitFor(makeRootfs(spec(), ignoring(), {}));
        QVERIFY2(made.has_value(), made ? "" : qPrintable(made.error().message));
        QFile arguments(m_directory->filePath(u"arguments"_s));
        QVERIFY(arguments.open(QIODevice::ReadOnly));
        const auto lines = QString::fromUtf8(arguments.readAll()).split(u'\n', Qt::SkipEmptyParts);
        QCOMPARE(lines.sliced(lines.size() - 3),
            (QStringList { u"trixie"_s, spec().tarPath, spec().mirror }));
        QVERIFY(lines.contains(u"--variant=minbase"_s));
        QFile finish(m_directory->filePath(u"finish"_s));
        QVERIFY(finish.open(QIODevice::ReadOnly));
        QVERIFY(finish.readAll().contains("sandbox:x:100:101"));
    }

    void givesItTheBundle()
    {
        writeProgram(u"mmdebstrap"_s, "printf '%s\\n' \"$@\" >\"$TMPDIR/arguments\"\n");
        auto secure = spec();
        secure.caBundle = "certificates";
        QVERIFY(QCoro::waitFor(makeRootfs(secure, ignoring(), {})).has_value());
        QFile bundle(m_directory->filePath(u"ca.crt"_s));
        QVERIFY(bundle.open(QIODevice::ReadOnly));
        QCOMPARE(bundle.readAll(), "certificates");
        QFile arguments(m_directory->filePath(u"arguments"_s));
        QVERIFY(arguments.open(QIODevice::ReadOnly));
        QVERIFY(arguments.readAll().contains("CAInfo"));
    }

    void saysWhenMmdebstrapIsMissing()
    {
        qputenv("PATH", QFile::encodeName(m_directory->filePath(u"bin"_s)));
        const auto made = QCoro::waitFor(makeRootfs(spec(), ignoring(), {}));
        QVERIFY(!made.has_value());
        QCOMPARE(made.error().kind, Kind::NotFound);
        QVERIFY(made.error().message.contains("apt install mmdebstrap"_L1));
    }

    void tellsHowFarItIs()
    {
        writeProgram(u"mmdebstrap"_s,
            "echo 'Need to get 2,000 kB of archives.' >&2\necho 'Get:1 http://x a 1 [500 kB]' >&2\n"
            "echo 'Get:2 http://x b 1 [1.5 MB]' >&2\n");
        QList<ImageEvent> events;
        const auto handler = [&events](const ImageEvent& event) { events << event; };
        QVERIFY(QCoro::waitFor(makeRootfs(spec(), handler, {})).has_value());
        QCOMPARE(events.size(), 2);
        QCOMPARE(events[0].kind, ImageEvent::Kind::Progress);
        QCOMPARE(events[0].currentBytes, 500'000);
        QCOMPARE(events[0].totalBytes, 2'000'000);
        QCOMPARE(events[1].currentBytes, 2'000'000);
    }

    void isCancelledWhileItRuns()
    {
        writeProgram(u"mmdebstrap"_s,
            "echo 'Need to get 10 B of archives.' >&2\necho 'Get:1 http://x a 1 [5 B]' >&2\nexec "
            "sleep 1000\n");
        const CancelToken cancel;
        const auto handler = [cancel](const ImageEvent&) { cancel.cancel(); };
        const auto made = QCoro::waitFor(makeRootfs(spec(), handler, cancel));
        QVERIFY(!made.has_value());
        QCOMPARE(made.error(), cancelled());
    }

    void saysWhyItFailed_data()
    {
        QTest::addColumn<QByteArray>("output");
        QTest::addColumn<int>("kind");
        const auto row = [](const char* output, Kind kind) {
            QTest::newRow(output) << QByteArray(output) << int(kind);
        };
        row("E: You don't have enough free space\ntar: write: No space left on device",
            Kind::Limit);
        row("W: GPG error: NO_PUBKEY 123\nE: The repository is not signed.", Kind::Denied);
        row("E: Failed to fetch x  Hash Sum mismatch", Kind::Denied);
        row("E: Failed to fetch http://x  Could not connect to x:80 - Connection refused",
            Kind::Unreachable);
        row("Err:1 http://x Temporary failure resolving 'x'\nE: apt failed", Kind::Unreachable);
        row("E: newuidmap 1234 0 100000 failed", Kind::Denied);
        row("E: unshare() failed: Operation not permitted", Kind::Denied);
        row("E: something else", Kind::Internal);
        row("", Kind::Internal);
    }

    void saysWhyItFailed()
    {
        QFETCH(QByteArray, output);
        QFETCH(int, kind);
        QCOMPARE(int(rootfsFailure(output).kind), kind);

        writeProgram(u"mmdebstrap"_s, "cat >&2 <<'END'\n" + output + "\nEND\nexit 1\n");
        const auto made = QCoro::waitFor(makeRootfs(spec(), ignoring(), {}));
        QVERIFY(!made.has_value());
        QCOMPARE(int(made.error().kind), kind);
    }

    void ignoresLinesItDoesNotKnow()
    {
        RootfsProgress progress;
        for (const auto& line :
            { QString(), u"Get:1 http://x a 1 [5 kB]"_s, u"Need to get many bytes"_s,
                u"Get:x [] [kB]"_s, u"Setting up"_s, QString(10'000, u'G') })
            QVERIFY(!progress.take(line).has_value());
    }

    void neverGoesBeyondTheTotal()
    {
        RootfsProgress progress;
        QVERIFY(!progress.take(u"Need to get 1,000 B/2,000 B of archives."_s).has_value());
        QVERIFY(!progress.take(u"0 upgraded, 1 newly installed, 0 to remove"_s).has_value());
        for (int i = 0; i < 3; ++i) {
            const auto event = progress.take(u"Get:1 http://x trixie/main amd64 a 1.0 [900 B]"_s);
            QVERIFY(event.has_value());
            QVERIFY(event->currentBytes <= event->totalBytes);
            QCOMPARE(event->totalBytes, 1000);
            const auto step = progress.take(u"Setting up a (1.0) ..."_s);
            QVERIFY(step.has_value());
            QCOMPARE(step->text, u"installing package 1 of 1: a"_s);
        }
    }
};

QTEST_GUILESS_MAIN(TestRootfs)
#include "tst_rootfs.moc"
