// SPDX-License-Identifier: MIT
#include "tests/app/isolatedprogram.h"

#include "app/cli/guicommand.h"

#include <QDir>
#include <QFile>
#include <QTest>

using namespace isol8::cli;
using namespace isol8::tests;
using namespace Qt::StringLiterals;

/// How the command line finds and loads the desktop application, and that nobody else pays for it.
class TestGuiCommand : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void looksBesideTheProgramAndInItsLibraries();
    void withoutADisplayItSaysSo_data();
    void withoutADisplayItSaysSo();
    void missingModuleIsTold();
    void programMapsNoGuiLibrary();
    void moduleBringsTheWindow();

private:
    IsolatedProgram m_program;
};

void TestGuiCommand::looksBesideTheProgramAndInItsLibraries()
{
    const auto paths = guiModulePaths(u"/opt/isol8/bin"_s);
    QCOMPARE(paths.constFirst(), u"/opt/isol8/bin/libisol8-gui.so"_s);
    QVERIFY(QStringList(paths.mid(1)).contains(u"/opt/isol8/bin/../lib/isol8/libisol8-gui.so"_s)
        || paths.contains(u"/opt/isol8/lib/isol8/libisol8-gui.so"_s));
}

void TestGuiCommand::withoutADisplayItSaysSo_data()
{
    QTest::addColumn<QString>("display");
    QTest::newRow("none") << u""_s;
    QTest::newRow("silent") << u":4711"_s;
}

void TestGuiCommand::withoutADisplayItSaysSo()
{
    QFETCH(QString, display);
    const auto outcome = m_program.run({ u"gui"_s },
        { { u"DISPLAY"_s, display }, { u"WAYLAND_DISPLAY"_s, u""_s },
            { u"QT_QPA_PLATFORM"_s, u""_s } });
    QCOMPARE(outcome.exitCode, 1);
    QVERIFY2(
        outcome.err.contains("[ERR]") && outcome.err.contains("display"), outcome.err.constData());
    QVERIFY(outcome.out.isEmpty());
}

void TestGuiCommand::missingModuleIsTold()
{
    const auto outcome
        = m_program.shell(u"cp \"$ISOL8\" ./isol8 && DISPLAY= WAYLAND_DISPLAY= ./isol8 gui"_s);
    QCOMPARE(outcome.exitCode, 1);
    QVERIFY2(outcome.err.contains("libisol8-gui.so"), outcome.err.constData());
}

void TestGuiCommand::programMapsNoGuiLibrary()
{
    const auto outcome = m_program.shell(u"ldd \"$ISOL8\""_s);
    QCOMPARE(outcome.exitCode, 0);
    for (const auto& library : { "Qt6Core"_ba, "Qt6Gui"_ba, "Qt6Widgets"_ba, "Qt6Svg"_ba,
             "SyntaxHighlighting"_ba, "keychain"_ba })
        QCOMPARE(outcome.out.contains(library), library == "Qt6Core");
}

/// Loaded into the program as `gui` does it, every symbol is found and the file is opened.
void TestGuiCommand::moduleBringsTheWindow()
{
    const QTemporaryDir home;
    m_program.write(u"a.py"_s, "print(1)\n");
    QProcess process;
    auto environment = QProcessEnvironment::systemEnvironment();
    for (const auto& variable :
        { u"HOME"_s, u"XDG_CONFIG_HOME"_s, u"XDG_DATA_HOME"_s, u"XDG_RUNTIME_DIR"_s })
        environment.insert(variable, home.path());
    environment.insert(u"QT_QPA_PLATFORM"_s, u"offscreen"_s);
    environment.insert(u"DOCKER_HOST"_s, u"unix:///nonexistent/docker.sock"_s);
    environment.insert(u"LD_BIND_NOW"_s, u"1"_s);
    process.setProcessEnvironment(environment);
    process.start(QStringLiteral(ISOL8_PROGRAM), { u"gui"_s, m_program.path(u"a.py"_s) });
    const auto isOpen = [&home] {
        QFile file(home.filePath(u"isol8/open.json"_s));
        return file.open(QIODevice::ReadOnly) && file.readAll().contains("a.py");
    };
    QTRY_VERIFY_WITH_TIMEOUT(isOpen() || process.state() == QProcess::NotRunning, 60'000);
    QVERIFY2(isOpen(), process.readAllStandardError().constData());
    process.terminate();
    QVERIFY(process.waitForFinished());
}

QTEST_GUILESS_MAIN(TestGuiCommand)
#include "tst_guicommand.moc"
