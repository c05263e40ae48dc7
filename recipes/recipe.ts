/** What a recipe is: files for a place other than EC2. A type only. */

export interface RecipeFile {
  /** Below the folder of the recipe, with slashes. */
  path: string;
  content: string;
  executable?: boolean;
}
