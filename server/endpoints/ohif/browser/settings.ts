/**
 * The settings of OHIF for the exam of its page: our DICOMweb and no other source, no list of studies, and a way back
 * where its logo stood. @see https://docs.ohif.org/configuration/configurationFiles
 */
/** What the page says. */
export type Exam = {
  /** The address of our own page. */
  readonly exam: string;
  readonly dicomweb: string;
  readonly texts: { readonly notForDiagnosis: string; readonly back: string };
};

/** What is used of React, which OHIF brings. */
type React = { createElement(type: string, properties: object, ...children: unknown[]): unknown };

const element = document.getElementById('exam');
const { exam, dicomweb, texts } = JSON.parse(element?.dataset['json'] ?? '{}') as Exam;
const root = new URL(dicomweb, location.href).href;

const settings = {
  routerBasename: `${exam}/ohif`,
  extensions: [],
  modes: [],
  // The tour of its tools would lie over the first exam that anybody opens.
  customizationService: [{ 'ohif.tours': { $set: [] } }],
  showStudyList: false,
  showErrorDetails: 'production',
  showWarningMessageForCrossOrigin: false,
  showCPUFallbackMessage: true,
  showLoadingIndicator: true,
  strictZSpacingForVolumeViewport: true,
  maxNumberOfWebWorkers: 3,
  // HTTP/1.1: more than six wait in the browser.
  maxNumRequests: { interaction: 20, thumbnail: 10, prefetch: 10 },
  // Said beside the way back, in the reader's language, and not to be closed.
  investigationalUseDialog: { option: 'never' },
  whiteLabeling: { createLogoComponentFn: wayBack },
  defaultDataSourceName: 'passerelle',
  dataSources: [
    {
      namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
      sourceName: 'passerelle',
      configuration: {
        friendlyName: 'Passerelle',
        name: 'passerelle',
        qidoRoot: root,
        wadoRoot: root,
        wadoUriRoot: root,
        qidoSupportsIncludeField: true,
        imageRendering: 'wadors',
        thumbnailRendering: 'thumbnail',
        enableStudyLazyLoad: true,
        supportsFuzzyMatching: false,
        supportsWildcard: true,
        supportsReject: false,
        dicomUploadEnabled: false,
        omitQuotationForMultipartRequest: true,
        bulkDataURI: { enabled: true },
      },
    },
  ],
};

/** Shows what OHIF is not for, and leads back to our page. */
function wayBack(react: React): unknown {
  const line = { display: 'flex', gap: '0.75rem', alignItems: 'center', color: '#ffffff', fontSize: '0.875rem' };
  return react.createElement(
    'div',
    { style: line },
    react.createElement('a', { href: exam, style: { textDecoration: 'underline' } }, `‹ ${texts.back}`),
    react.createElement('strong', { role: 'note' }, texts.notForDiagnosis),
  );
}

Object.assign(window, { config: settings });
