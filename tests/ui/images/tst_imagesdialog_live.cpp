// SPDX-License-Identifier: MIT
#include "engine/docker/client.h"
#include "engine/images/imagename.h"
#include "ui/images/imagesdialog.h"
#include "ui/images/imageservice.h"

#include <QCoroTask>
#include <QFile>
#include <QLabel>
#include <QMessageBox>
#include <QPlainTextEdit>
#include <QPointer>
#include <QProgressBar>
#include <QPushButton>
#include <QScopeGuard>
#include <QSignalSpy>
#include <QTableWidget>
#include <QTemporaryDir>
#include <QTest>

using namespace isol8;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// The dialog of images and the real Docker.
class TestImagesDialog : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void listsWhatIsBuilt();
    void upToDateImageIsLeftAlone();
    void buildsWhatIsMissing();
    void buildIsCancelled();
    void escapeDoesNotEndABuild();
    void removesAnImage();
    void dockerThatIsGoneIsTold();

private:
    [[nodiscard]] int row(const QString& tag) const;
    [[nodiscard]] QPushButton* button(const char* name) const;
    [[nodiscard]] QTableWidget* table() const;
    [[nodiscard]] QString step() const;
    [[nodiscard]] QString idOf(const QString& tag) const;
    void select(const QString& tag);
    void removeSelected(QMessageBox::StandardButton answer);

    std::shared_ptr<docker::Client> m_client;
    std::unique_ptr<QTemporaryDir> m_state;
    std::unique_ptr<ImagesDialog> m_dialog;
};

namespace {
constexpr int patience = 120'000;
}

void TestImagesDialog::init()
{
    m_client = std::make_shared<docker::Client>(*docker::resolveEndpoint());
    m_state = std::make_unique<QTemporaryDir>();
    ImageSettings settings;
    settings.stateDirectory = m_state->path();
    settings.workDirectory = m_state->path();
    m_dialog = std::make_unique<ImagesDialog>(m_client, settings, nullptr);
    m_dialog->show();
    QTRY_VERIFY_WITH_TIMEOUT(table()->rowCount() >= 5, patience);
}

void TestImagesDialog::cleanup()
{
    m_dialog.reset();
    m_client.reset();
    m_state.reset();
}

int TestImagesDialog::row(const QString& tag) const
{
    for (int at = 0; at < table()->rowCount(); ++at) {
        if (table()->item(at, 0)->text() == tag)
            return at;
    }
    return -1;
}

QPushButton* TestImagesDialog::button(const char* name) const
{
    return m_dialog->findChild<QPushButton*>(QLatin1StringView(name));
}

QTableWidget* TestImagesDialog::table() const
{
    return m_dialog->findChild<QTableWidget*>(u"imageTable"_s);
}

QString TestImagesDialog::step() const
{
    return m_dialog->findChild<QLabel*>(u"imageStep"_s)->text();
}

QString TestImagesDialog::idOf(const QString& tag) const
{
    const auto details = QCoro::waitFor(m_client->inspectImage(tag));
    return details ? details->id : QString();
}

void TestImagesDialog::select(const QString& tag)
{
    QVERIFY(row(tag) >= 0);
    table()->selectRow(row(tag));
}

void TestImagesDialog::removeSelected(QMessageBox::StandardButton answer)
{
    QTest::mouseClick(button("imageRemove"), Qt::LeftButton);
    auto* question = m_dialog->findChild<QMessageBox*>(u"imageQuestion"_s);
    QTRY_VERIFY(question && question->isVisible());
    question->button(answer)->click();
    QTRY_VERIFY(!m_dialog->findChild<QMessageBox*>(u"imageQuestion"_s));
}

void TestImagesDialog::listsWhatIsBuilt()
{
    for (const auto runtime :
        { Runtime::Python, Runtime::Node, Runtime::Bun, Runtime::Deno, Runtime::Bash }) {
        const int at = row(baseImageTag(runtime));
        QVERIFY(at >= 0);
        QVERIFY2(table()->item(at, 1)->text().contains(u"iB"_s),
            qPrintable(table()->item(at, 1)->text()));
        QVERIFY(table()->item(at, 2)->text() != u"not built"_s);
    }
    QVERIFY(!button("imageBuild")->isEnabled());
    QVERIFY(!button("imageCancel")->isEnabled());
}

void TestImagesDialog::upToDateImageIsLeftAlone()
{
    const auto tag = baseImageTag(Runtime::Bash);
    const auto before = idOf(tag);
    QVERIFY(!before.isEmpty());
    select(tag);
    QTest::mouseClick(button("imageBuild"), Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(step(), tag + u" is ready."_s, patience);
    QTRY_VERIFY(!button("imageCancel")->isEnabled());
    QCOMPARE(idOf(tag), before);
}

void TestImagesDialog::buildsWhatIsMissing()
{
    const auto tag = baseImageTag(Runtime::Bash);
    const auto before = idOf(tag);
    const auto spare = u"isol8-spare-%1:latest"_s.arg(QCoreApplication::applicationPid());
    const auto tagAs = [this](const QString& name, const QString& other) {
        return QCoro::waitFor(
            m_client->tagImage(name, other.section(u':', 0, 0), other.section(u':', 1)));
    };
    QVERIFY(tagAs(tag, spare));
    const auto leaveAsFound = qScopeGuard([&] { // Other tests need it.
        if (idOf(tag).isEmpty())
            QVERIFY(tagAs(spare, tag));
        QVERIFY(QCoro::waitFor(m_client->removeImage(spare)));
    });
    select(tag);
    removeSelected(QMessageBox::Yes);
    QTRY_COMPARE_WITH_TIMEOUT(table()->item(row(tag), 2)->text(), u"not built"_s, patience);
    QCOMPARE(idOf(tag), QString());
    select(tag);
    QVERIFY(!button("imageRemove")->isEnabled());
    QTest::mouseClick(button("imageBuild"), Qt::LeftButton);
    QTRY_VERIFY(m_dialog->findChild<QProgressBar*>()->isVisible());
    QTRY_COMPARE_WITH_TIMEOUT(step(), tag + u" is ready."_s, patience);
    QTRY_COMPARE_WITH_TIMEOUT(table()->item(row(tag), 2)->text(), u"today"_s, patience);
    QTRY_VERIFY(!m_dialog->findChild<QProgressBar*>()->isVisible());
    const auto log = m_dialog->findChild<QPlainTextEdit*>(u"imageLog"_s)->toPlainText();
    QVERIFY2(log.contains(u"Building "_s + tag), qPrintable(log));
    QVERIFY(!idOf(tag).isEmpty());
    QVERIFY(idOf(tag) != before);
}

void TestImagesDialog::buildIsCancelled()
{
    const auto tag = baseImageTag(Runtime::Bash);
    const auto before = idOf(tag);
    select(tag);
    QTest::mouseClick(button("imageRebuild"), Qt::LeftButton);
    auto* log = m_dialog->findChild<QPlainTextEdit*>(u"imageLog"_s);
    QTRY_VERIFY_WITH_TIMEOUT(!log->toPlainText().isEmpty(), patience);
    QVERIFY(m_dialog->findChild<QProgressBar*>()->isVisible());
    QVERIFY(!button("imageRebuild")->isEnabled());
    QTest::mouseClick(button("imageCancel"), Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(step(), u"Cancelled; nothing was changed."_s, patience);
    QTRY_VERIFY(!button("imageCancel")->isEnabled());
    QVERIFY(!m_dialog->findChild<QProgressBar*>()->isVisible());
    QCOMPARE(idOf(tag), before);
}

/// Only the button that says so cancels.
void TestImagesDialog::escapeDoesNotEndABuild()
{
    const auto tag = baseImageTag(Runtime::Bash);
    m_dialog->setAttribute(Qt::WA_DeleteOnClose);
    const QPointer<ImagesDialog> dialog(m_dialog.release());
    auto* service = dialog->findChild<ImageService*>();
    dialog->findChild<QTableWidget*>(u"imageTable"_s)->selectRow(4);
    dialog->findChild<QPushButton*>(u"imageRebuild"_s)->click();
    QVERIFY(service->isBusy());
    QTest::keyClick(dialog.data(), Qt::Key_Escape);
    QTRY_VERIFY(!dialog->isVisible());
    QVERIFY(service->isBusy());
    QSignalSpy finished(service, &ImageService::finished);
    service->cancel();
    QTRY_COMPARE_WITH_TIMEOUT(finished.size(), 1, patience);
    dialog->show();
    QTest::keyClick(dialog.data(), Qt::Key_Escape);
    QTRY_VERIFY(!dialog);
    QVERIFY(!idOf(tag).isEmpty());
}

void TestImagesDialog::removesAnImage()
{
    // An image of nothing, labelled as `isol8 build` would.
    const auto tag = u"isol8-test-%1:latest"_s.arg(QCoreApplication::applicationPid());
    QFile archive(m_state->filePath(u"empty.tar"_s));
    QVERIFY(archive.open(QIODevice::WriteOnly));
    archive.write(QByteArray(10'240, '\0'));
    archive.close();
    const auto made = QCoro::waitFor(m_client->importImage(archive.fileName(), tag,
        { u"LABEL isol8.managed=true"_s, u"LABEL isol8.tag="_s + tag,
            u"LABEL isol8.dependencies=\"numpy pandas\""_s },
        {}));
    QVERIFY2(made, made ? "" : qPrintable(made.error().message));
    m_dialog->findChild<ImageService*>()->list();
    QTRY_VERIFY_WITH_TIMEOUT(row(tag) >= 0, patience);
    QCOMPARE(table()->item(row(tag), 2)->text(), u"today"_s);
    QCOMPARE(table()->item(row(tag), 3)->text(), u"numpy, pandas"_s);

    select(tag);
    QVERIFY(!button("imageBuild")->isEnabled()); // Only the command line has its recipe.
    removeSelected(QMessageBox::Cancel);
    QVERIFY(!idOf(tag).isEmpty());
    removeSelected(QMessageBox::Yes);
    QTRY_VERIFY_WITH_TIMEOUT(row(tag) < 0, patience);
    QCOMPARE(idOf(tag), QString());
}

void TestImagesDialog::dockerThatIsGoneIsTold()
{
    docker::Endpoint nowhere;
    nowhere.socketPath = m_state->filePath(u"none.sock"_s);
    ImagesDialog dialog(std::make_shared<docker::Client>(nowhere), {}, nullptr);
    dialog.show();
    auto* text = dialog.findChild<QLabel*>(u"imageStep"_s);
    QTRY_VERIFY_WITH_TIMEOUT(text->text().startsWith(u"Not reachable"_s), patience);
}

QTEST_MAIN(TestImagesDialog)
#include "tst_imagesdialog_live.moc"
