/** An Error about a setting of the deployment: its text is for the person who set it. Carries nothing else. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}
